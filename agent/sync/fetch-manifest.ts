import { unpack } from '../../codec/pack.ts';
import type { SnapshotPlan } from '../../core/reconcile/next-round.ts';
import { type Manifest, manifestSchema } from '../../protocol/manifest.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import type { SyncDeps } from './sync-deps.ts';

/** The manifest a plan names, checked to be the one: digest, feed, generation, position and root. */
export async function fetchManifest({ cloud, download }: Pick<SyncDeps, 'cloud' | 'download'>, plan: SnapshotPlan): Promise<Manifest> {
  const { manifestSha256, manifestUrl, position, root } = plan.snapshot;
  const packed = await download.get({
    sha256: manifestSha256,
    bytesMax: agentLimits.manifestBytesMax,
    url: async (renew) => (renew ? renewedUrl(cloud, plan) : manifestUrl),
  });
  const text = await unpack(packed, { rawBytesMax: agentLimits.manifestBytesMax * 4 });
  const parsed = manifestSchema.safeParse(JSON.parse(text.toString('utf8')));
  if (!parsed.success) throw new SyncError('INTEGRITY', `${plan.feed}: the manifest does not fit its schema`, { cause: parsed.error });
  const manifest = parsed.data;
  if (manifest.feed !== plan.feed || manifest.generation !== plan.generation || manifest.position !== position || manifest.root !== root) {
    throw new SyncError('INTEGRITY', `${plan.feed}: the manifest is not the one the plan names`);
  }
  return manifest;
}

async function renewedUrl(cloud: SyncDeps['cloud'], { feed, snapshot }: SnapshotPlan): Promise<string> {
  const { feeds } = await cloud.plan({ feeds: [] });
  const again = feeds.find((plan): plan is SnapshotPlan => plan.feed === feed && plan.action === 'reconcile');
  if (again?.snapshot.manifestSha256 !== snapshot.manifestSha256)
    throw new SyncError('SNAPSHOT_GONE', `${feed}: there is a newer snapshot`);
  return again.snapshot.manifestUrl;
}
