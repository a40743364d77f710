/**
 * The read-only page at `/console`: which store has which component complete, and how far every feed is. Rendered here
 * from two answers of the console function; loads nothing and runs nothing in the browser.
 */
import type * as z from 'zod';
import { consoleResponseSchemas } from '../../protocol/messages/console.ts';

type Call = (request: object) => Promise<unknown>;
type Stores = z.infer<(typeof consoleResponseSchemas)['store.list']>['stores'];
type Feeds = z.infer<(typeof consoleResponseSchemas)['feeds.list']>['feeds'];

export async function consolePage(organization: string, call: Call): Promise<string> {
  try {
    const [{ stores, next }, { feeds }] = await Promise.all([
      call({ op: 'store.list' }).then((answer) => consoleResponseSchemas['store.list'].parse(answer)),
      call({ op: 'feeds.list' }).then((answer) => consoleResponseSchemas['feeds.list'].parse(answer)),
    ]);
    return page(organization, `${storesTable(stores, feeds)}${next === null ? '' : MORE_STORES}${feedsTable(feeds)}`);
  } catch (error) {
    return page(organization, `<p class="bad">The console function did not answer: ${escape((error as Error).message)}</p>`);
  }
}

const MORE_STORES = '<p>These are the first stores by id. <code>storeline store list</code> has all.</p>';

function storesTable(stores: Stores, feeds: Feeds): string {
  if (stores.length === 0) return '<h2>Stores</h2><p>There is no store yet. <code>storeline store add</code> makes one.</p>';
  const heads = new Map(feeds.map((feed) => [feed.feed, feed.position]));
  const components = [...new Set(stores.flatMap((store) => store.certificates.map((certificate) => certificate.component)))].sort();
  const rows = stores.map((store) => {
    const cells = components.map((component) => {
      const certificates = store.certificates.filter((certificate) => certificate.component === component);
      return `<td>${certificates.map((certificate) => certificateText(certificate, heads.get(certificate.feed))).join('<br>')}</td>`;
    });
    const replicas = store.replicas.map((replica) => replica.status).join(', ') || 'none';
    return `<tr><th>${escape(store.storeId)}<small>${escape(store.name)}</small></th><td>${escape(store.edition)}</td><td>${escape(replicas)}</td>${cells.join('')}</tr>`;
  });
  const head = ['Store', 'Edition', 'Replicas', ...components].map((title) => `<th>${escape(title)}</th>`).join('');
  return `<h2>Stores</h2><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

type Certificate = Stores[number]['certificates'][number];

function certificateText({ position, rows, issuedAt }: Certificate, head: number | undefined): string {
  const behind = head === undefined ? 0 : head - position;
  const state = behind > 0 ? `<span class="bad">${behind} behind</span>` : '<span class="good">complete</span>';
  return `${state} at ${position}<small>${rows.toLocaleString('en')} rows · ${escape(issuedAt)}</small>`;
}

function feedsTable(feeds: Feeds): string {
  if (feeds.length === 0) return '<h2>Feeds</h2><p>There is no feed yet: no record was written and no store asked.</p>';
  const rows = feeds.map(({ feed, position, asOf, snapshot }) => {
    const covered = snapshot === null ? '–' : `${snapshot.position}`;
    const rowsText = snapshot === null ? '–' : snapshot.rows.toLocaleString('en');
    return `<tr><th>${escape(feed)}</th><td>${position}</td><td>${escape(asOf ?? '–')}</td><td>${covered}</td><td>${rowsText}</td><td>${snapshot?.chunks ?? '–'}</td></tr>`;
  });
  const head = ['Feed', 'Position', 'Newest change', 'Snapshot at', 'Rows', 'Chunks'].map((title) => `<th>${title}</th>`).join('');
  return `<h2>Feeds</h2><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

const STYLE = `
  body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem; color: #1c2430; }
  table { border-collapse: collapse; margin-bottom: 2rem; }
  th, td { text-align: left; vertical-align: top; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid #dde2e8; }
  thead th { color: #5b6675; font-weight: 500; }
  small { display: block; color: #5b6675; font-weight: 400; }
  .good { color: #0a7a3d; } .bad { color: #b3261e; }`;

function page(organization: string, content: string): string {
  const title = `Storeline · ${escape(organization)}`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head><body><h1>${title}</h1>${content}</body></html>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
