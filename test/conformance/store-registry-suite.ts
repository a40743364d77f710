import { expect, test } from 'vitest';
import type { Store, StoreListing, StoreRegistry } from '../../core/ports/store-registry.ts';
import type { Certificate } from '../../protocol/messages/report.ts';
import { isSyncError } from '../../protocol/sync-error.ts';

/** What every registry of stores promises. `fresh` gives an unused store id. */
export function storeRegistrySuite(open: () => Promise<StoreRegistry>, fresh: () => string): void {
  const aStore = (storeId: string): Store => ({
    storeId,
    name: 'High Street',
    edition: 'core',
    zone: null,
    timeZone: 'Europe/London',
    currency: 'GBP',
    createdAt: '2026-11-23T08:00:00.000Z',
  });
  const publicKey = (owner: string) => ({ kty: 'EC', crv: 'P-256', x: owner.padEnd(43, 'x'), y: 'y'.repeat(43) }) as const;
  const replica = (uuid: string, owner = uuid) => ({
    uuid,
    publicKey: publicKey(owner),
    status: 'ACTIVE' as const,
    enrolledAt: '2026-11-23T08:00:00.000Z',
  });

  /** All of them, in parts of three. */
  const listed = async (registry: StoreRegistry): Promise<StoreListing[]> => {
    const all: StoreListing[] = [];
    let after: string | null = null;
    do {
      const part: Awaited<ReturnType<StoreRegistry['listStores']>> = await registry.listStores({ after, limit: 3 });
      expect(part.stores.length).toBeLessThanOrEqual(3);
      all.push(...part.stores);
      after = part.next;
    } while (after !== null);
    return all;
  };

  test('stores are listed in parts, by id, each once', async () => {
    const registry = await open();
    const ids = Array.from({ length: 7 }, fresh);
    for (const storeId of ids.toReversed()) await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `code-of-${ids[0]}`, storeId: ids[0] ?? '', issuedAt: 1, expiresAt: 1_000 });
    const all = (await listed(registry)).map(({ store }) => store.storeId);
    expect(all).toEqual([...new Set(all)].sort());
    expect(all).toEqual(expect.arrayContaining(ids));
    expect(await registry.listStores({ after: '~', limit: 3 })).toEqual({ stores: [], next: null });
    expect((await registry.listStores({ after: ids[2] ?? '', limit: 1 })).stores[0]?.store.storeId).not.toBe(ids[2]);
  });

  test('a store id is taken once, and the first one stays as it is', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await expect(registry.addStore({ ...aStore(storeId), name: 'Other' })).rejects.toSatisfy((error) =>
      isSyncError(error, 'ALREADY_EXISTS'),
    );
    expect((await listed(registry)).find(({ store }) => store.storeId === storeId)?.store).toEqual(aStore(storeId));
  });

  test('of many agents with one code exactly one wins, and a code is used up', async () => {
    const registry = await open();
    const storeId = fresh();
    const sha256 = `code-of-${storeId}`;
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256, storeId, issuedAt: 1, expiresAt: 1_000 });
    const tries = await Promise.all(Array.from({ length: 8 }, (_, index) => registry.enrol({ sha256, now: 999 }, replica(`u${index}`))));
    const winners = tries.filter((enrolled) => enrolled !== null);
    expect(winners).toHaveLength(1);
    expect(winners[0]?.store).toEqual(aStore(storeId));
    expect(await registry.enrol({ sha256, now: 999 }, replica('late'))).toBeNull();
    expect(winners[0]).toEqual({ ...(await registry.readReplica(winners[0]?.replica.replicaId ?? '')), replaced: [] });
  });

  test('the same code with the same key enrols the same replica again, also at once, and only while the code lives', async () => {
    const registry = await open();
    const storeId = fresh();
    const sha256 = `again-${storeId}`;
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256, storeId, issuedAt: 1, expiresAt: 1_000 });
    const [first, ...others] = await Promise.all(
      ['a', 'b', 'c'].map((uuid) => registry.enrol({ sha256, now: 998 }, replica(uuid, 'agent'))),
    );
    expect(first?.store).toEqual(aStore(storeId));
    for (const other of others) expect(other).toEqual(first);
    expect(await registry.enrol({ sha256, now: 999 }, replica('d', 'agent'))).toEqual(first);
    expect(await registry.enrol({ sha256, now: 999 }, replica('e', 'thief'))).toBeNull();
    expect(await registry.enrol({ sha256, now: 1_000 }, replica('f', 'agent'))).toBeNull();
    expect((await listed(registry)).find(({ store }) => store.storeId === storeId)?.replicas).toEqual([first?.replica]);
  });

  test('a move is one change of zone and edition with its entry in the audit; who read something older writes nothing', async () => {
    const registry = await open();
    const before = aStore(fresh());
    await registry.addStore(before);
    const after: Store = { ...before, zone: 'north', edition: 'clienteling' };
    expect(await registry.changeStore(before, after, '2026-11-24T08:00:00.000Z')).toBe('changed');
    expect(await registry.changeStore(before, { ...before, zone: 'south' }, '2026-11-24T09:00:00.000Z')).toBe('conflict');
    expect(await registry.changeStore(after, { ...after, zone: null }, '2026-11-25T08:00:00.000Z')).toBe('changed');
    expect(await registry.readStore(before.storeId)).toEqual({ ...after, zone: null });
    expect(await registry.readStoreChanges(before.storeId)).toEqual([
      { at: '2026-11-24T08:00:00.000Z', from: { zone: null, edition: 'core' }, to: { zone: 'north', edition: 'clienteling' } },
      { at: '2026-11-25T08:00:00.000Z', from: { zone: 'north', edition: 'clienteling' }, to: { zone: null, edition: 'clienteling' } },
    ]);
    expect(await registry.readStore(fresh())).toBeNull();
    expect(await registry.changeStore(aStore(fresh()), after, '2026-11-26T08:00:00.000Z')).toBe('conflict');
  });

  test('what was last heard of a replica is kept in its row, and one that is gone stays gone', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `heard-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    const enrolled = await registry.enrol({ sha256: `heard-${storeId}`, now: 1 }, replica('u'));
    const replicaId = enrolled?.replica.replicaId ?? '';
    const contact = { heardAt: '2026-11-23T09:00:00.000Z', agentVersion: '1.2.3', skewMs: -4_000 };
    await registry.noteContact(replicaId, contact);
    expect((await registry.readReplica(replicaId))?.replica).toEqual({ ...enrolled?.replica, ...contact });
    await registry.noteContact(`${storeId}:gone`, contact);
    expect(await registry.readReplica(`${storeId}:gone`)).toBeNull();
    // What it was told, and its first sync with that; a sync with something else is none of it.
    const told = { revision: 3, at: '2026-11-23T09:00:00.000Z', syncedAt: null };
    const known = async () => (await registry.readReplica(replicaId))?.replica.told;
    await registry.noteSynced(replicaId, { revision: 3, at: '2026-11-23T09:30:00.000Z' });
    expect(await known()).toBeUndefined();
    await registry.noteTold(replicaId, told);
    await registry.noteSynced(replicaId, { revision: 2, at: '2026-11-23T09:30:00.000Z' });
    expect(await known()).toEqual(told);
    for (const at of ['2026-11-23T10:00:00.000Z', '2026-11-23T11:00:00.000Z']) await registry.noteSynced(replicaId, { revision: 3, at });
    expect(await known()).toEqual({ ...told, syncedAt: '2026-11-23T10:00:00.000Z' });
    await registry.noteTold(replicaId, { ...told, revision: 4 });
    expect(await known()).toEqual({ ...told, revision: 4 });
    await registry.noteTold(`${storeId}:gone`, told);
    expect(await registry.readReplica(`${storeId}:gone`)).toBeNull();
  });

  test('a replica that is revoked is so at the next read, for good, and one that is gone stays gone', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `stolen-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    const stolen = (await registry.enrol({ sha256: `stolen-${storeId}`, now: 1 }, replica('r')))?.replica;
    const replicaId = stolen?.replicaId ?? '';
    for (let times = 0; times < 2; times += 1) await registry.revokeReplica(replicaId);
    expect((await registry.readReplica(replicaId))?.replica).toEqual({ ...stolen, status: 'REVOKED' });
    await registry.retireReplica(replicaId);
    expect((await registry.readReplica(replicaId))?.replica.status).toBe('REVOKED');
    for (const end of ['retireReplica', 'revokeReplica'] as const) await registry[end](`${storeId}:gone`);
    expect(await registry.readReplica(`${storeId}:gone`)).toBeNull();
  });

  test('INV-55: the next key of a replica is kept, taken once it is used, and never by one that is not active or has another', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `key-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    const replicaId = (await registry.enrol({ sha256: `key-${storeId}`, now: 1 }, replica('k', 'a')))?.replica.replicaId ?? '';
    const read = async () => (await registry.readReplica(replicaId))?.replica;
    const [a, b, c] = [publicKey('a'), publicKey('b'), publicKey('c')];
    const [first, second] = ['2026-11-24T08:00:00.000Z', '2026-11-24T09:00:00.000Z'];
    expect(await registry.offerKey(replicaId, { before: b, publicKey: c, since: first })).toBe('gone');
    expect(await registry.offerKey(replicaId, { before: a, publicKey: b, since: first })).toBe('kept');
    expect(await read()).toMatchObject({ publicKey: a, nextKey: { publicKey: b, since: first } });
    // The same one again, because the answer was lost: the old key is good for no longer than before.
    expect(await registry.offerKey(replicaId, { before: a, publicKey: b, since: second })).toBe('kept');
    expect(await registry.offerKey(replicaId, { before: c, publicKey: b, since: second })).toBe('gone');
    expect((await read())?.nextKey).toEqual({ publicKey: b, since: first });
    await registry.takeKey(replicaId, c);
    expect(await read()).toMatchObject({ publicKey: a, nextKey: { publicKey: b } });
    expect(await registry.offerKey(replicaId, { before: a, publicKey: c, since: second })).toBe('kept');
    for (let times = 0; times < 2; times += 1) await registry.takeKey(replicaId, c);
    expect(await read()).toMatchObject({ publicKey: c, keySince: second });
    expect((await read())?.nextKey).toBeUndefined();
    expect(await registry.offerKey(replicaId, { before: a, publicKey: b, since: second })).toBe('gone');
    await registry.askForKey(replicaId, second);
    expect((await read())?.newKeyAskedAt).toBe(second);
    await registry.revokeReplica(replicaId);
    expect(await registry.offerKey(replicaId, { before: c, publicKey: b, since: second })).toBe('gone');
    await registry.askForKey(`${storeId}:gone`, second);
    expect(await registry.readReplica(`${storeId}:gone`)).toBeNull();
  });

  test('INV-25: a replica comes of an active one only, once; codes that are out can be made void', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `first-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    const first = (await registry.enrol({ sha256: `first-${storeId}`, now: 1 }, replica('p')))?.replica.replicaId ?? '';
    const fork = (uuid: string) => {
      const { uuid: _, ...enrolled } = replica(uuid);
      return { ...enrolled, storeId, replicaId: `${storeId}:${uuid}`, forkedFrom: first };
    };
    expect(await registry.addFork(fork('f'))).toBe('added');
    expect(await registry.addFork({ ...fork('f'), status: 'REVOKED' })).toBe('added');
    expect((await registry.readReplica(`${storeId}:f`))?.replica).toEqual(fork('f'));
    await registry.revokeReplica(first);
    expect(await registry.addFork(fork('g'))).toBe('gone');
    expect(await registry.readReplica(`${storeId}:g`)).toBeNull();

    for (const [name, issuedAt] of [
      ['old', 10],
      ['new', 21],
    ] as const)
      await registry.putEnrolmentCode({ sha256: `${name}-${storeId}`, storeId, issuedAt, expiresAt: 1_000 });
    await registry.voidCodes(storeId, 20);
    await registry.voidCodes(storeId, 5);
    expect(await registry.enrol({ sha256: `old-${storeId}`, now: 30 }, replica('v'))).toBeNull();
    expect((await registry.enrol({ sha256: `new-${storeId}`, now: 30 }, replica('w')))?.replica.replicaId).toBe(`${storeId}:w`);
    await registry.voidCodes(fresh(), 1);
  });

  test('INV-11, INV-25: a code that replaces retires what is active when it is used, and says so again; a closed store is opened by it', async () => {
    const registry = await open();
    const storeId = fresh();
    const code = (name: string) => `${name}-${storeId}`;
    await registry.addStore(aStore(storeId));
    for (const [name, replaces] of [
      ['one', false],
      ['two', false],
      ['three', true],
    ] as const)
      await registry.putEnrolmentCode({ sha256: code(name), storeId, issuedAt: 1, expiresAt: 1_000, replaces });
    for (const name of ['one', 'two']) expect((await registry.enrol({ sha256: code(name), now: 1 }, replica(name)))?.replaced).toEqual([]);
    await registry.revokeReplica(`${storeId}:one`);
    const closed = { at: '2026-11-24T08:00:00.000Z', reason: 'the lease ends' };
    await registry.closeStore(storeId, closed);
    expect(await registry.readStore(storeId)).toEqual({ ...aStore(storeId), closed });
    const tries = await Promise.all(
      ['three', 'four'].map((uuid) => registry.enrol({ sha256: code('three'), now: 1 }, replica(uuid, 'agent'))),
    );
    for (const enrolled of tries) expect(enrolled).toMatchObject({ replaced: [`${storeId}:two`] });
    expect(tries[0]?.replica).toEqual(tries[1]?.replica);
    expect(await registry.readStore(storeId)).toEqual(aStore(storeId));
    const found = (await listed(registry)).find(({ store }) => store.storeId === storeId)?.replicas ?? [];
    expect(new Map(found.map(({ replicaId, status }) => [replicaId, status]))).toEqual(
      new Map([
        [`${storeId}:one`, 'REVOKED'],
        [`${storeId}:two`, 'RETIRED'],
        [tries[0]?.replica.replicaId, 'ACTIVE'],
      ]),
    );
  });

  test('a code that would replace more than one transaction can is for a person to mend', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `crowd-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    const first = (await registry.enrol({ sha256: `crowd-${storeId}`, now: 1 }, replica('first')))?.replica;
    if (first === undefined) throw new Error('it is enrolled');
    await Promise.all(
      Array.from({ length: 90 }, (_, index) =>
        registry.addFork({ ...first, replicaId: `${storeId}:u${index}`, forkedFrom: first.replicaId }),
      ),
    );
    await registry.putEnrolmentCode({ sha256: `over-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000, replaces: true });
    const attempt = () => registry.enrol({ sha256: `over-${storeId}`, now: 1 }, replica('new'));
    await expect(attempt()).rejects.toMatchObject({ code: 'TOO_MANY_REPLICAS', remedy: 'operator' });
    await registry.revokeReplica(`${storeId}:u1`);
    expect((await attempt())?.replaced).toHaveLength(90);
  });

  test('an expired or unknown code enrols nobody', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    await registry.putEnrolmentCode({ sha256: `late-${storeId}`, storeId, issuedAt: 1, expiresAt: 1_000 });
    expect(await registry.enrol({ sha256: `late-${storeId}`, now: 1_000 }, replica('u'))).toBeNull();
    expect(await registry.enrol({ sha256: 'unknown', now: 0 }, replica('u'))).toBeNull();
    expect(await registry.readReplica(`${storeId}:u`)).toBeNull();
    expect(await registry.readReplica('nonsense')).toBeNull();
  });

  const certificate = (replicaId: string, more: Partial<Certificate> = {}): Certificate => ({
    storeId: replicaId.split(':')[0] ?? '',
    replicaId,
    component: 'Customer',
    feed: 'Customer@org',
    generation: 'g',
    position: 1,
    rows: 1,
    digest: 'a'.repeat(64),
    issuedAt: '2026-11-23T08:00:00.000Z',
    ...more,
  });

  test('a certificate gives way to one of the same or a later position only, whatever comes late or twice', async () => {
    const registry = await open();
    const replicaId = `${fresh()}:u`;
    const read = async () => [...(await registry.readCertificates(replicaId)).values()];
    const [first, second] = [certificate(replicaId), certificate(replicaId, { position: 2 })];
    await registry.putCertificates([first]);
    await registry.putCertificates([second]);
    expect(await read()).toEqual([second]);
    const tasks = certificate(replicaId, { component: 'Tasks', feed: 'Tasks@org' as Certificate['feed'] });
    await registry.putCertificates([certificate(replicaId, { issuedAt: '2026-11-23T09:00:00.000Z' }), tasks]);
    expect(await read()).toEqual([second, tasks]);
    const again = certificate(replicaId, { position: 2, issuedAt: '2026-11-23T10:00:00.000Z' });
    await registry.putCertificates([again]);
    expect(await read()).toEqual([again, tasks]);
  });

  test('a certificate of another generation counts if it was issued later', async () => {
    const registry = await open();
    const replicaId = `${fresh()}:u`;
    const old = certificate(replicaId, { position: 9 });
    const restarted = certificate(replicaId, { generation: 'h', issuedAt: '2026-11-24T08:00:00.000Z' });
    await registry.putCertificates([old]);
    await registry.putCertificates([restarted]);
    await registry.putCertificates([old]);
    expect([...(await registry.readCertificates(replicaId)).values()]).toEqual([restarted]);
  });

  test('two replicas of one store have certificates of their own', async () => {
    const registry = await open();
    const storeId = fresh();
    const [one, other] = [certificate(`${storeId}:u`), certificate(`${storeId}:v`, { position: 7 })];
    await registry.putCertificates([one, other]);
    expect([...(await registry.readCertificates(`${storeId}:u`)).values()]).toEqual([one]);
    expect([...(await registry.readCertificates(`${storeId}:v`)).values()]).toEqual([other]);
  });

  test('a list of stores has the certificates of replicas that are active', async () => {
    const registry = await open();
    const storeId = fresh();
    await registry.addStore(aStore(storeId));
    const enrolled = await Promise.all(
      (['ACTIVE', 'REVOKED'] as const).map(async (status, index) => {
        const sha256 = `${status}-of-${storeId}`;
        await registry.putEnrolmentCode({ sha256, storeId, issuedAt: 1, expiresAt: 1_000 });
        return registry.enrol({ sha256, now: 0 }, { ...replica(`u${index}`), status });
      }),
    );
    const certificates = enrolled.map((one) => certificate(one?.replica.replicaId ?? ''));
    await registry.putCertificates(certificates);
    const found = (await listed(registry)).find(({ store }) => store.storeId === storeId);
    expect(found?.replicas).toHaveLength(2);
    expect(found?.certificates).toEqual([certificates[0]]);
  });
}
