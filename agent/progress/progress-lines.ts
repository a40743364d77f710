import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { components } from '../../protocol/catalogue/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Progress } from './progress.ts';

/**
 * Progress on stderr: one block that is rewritten on a terminal, a plain line now and then elsewhere, or JSON lines for
 * programs. Counts and component names only; nothing a person could be known by, no address.
 */
export type ProgressStyle = 'terminal' | 'plain' | 'json';

interface Output {
  write(text: string): unknown;
}

interface Count {
  rows: number;
  bytes: number;
  rowsTotal: number;
  bytesTotal: number;
}

const EVERY_MS: Readonly<Record<ProgressStyle, number>> = { terminal: 100, plain: 5_000, json: 500 };

export function createProgress(style: ProgressStyle, output: Output, clock: Clock): Progress {
  const counts = new Map<ComponentName, Count>();
  const startedAt = clock.now();
  let shownAt = startedAt;
  let lines = 0;
  const countOf = (component: ComponentName) => {
    const count = counts.get(component) ?? { rows: 0, bytes: 0, rowsTotal: 0, bytesTotal: 0 };
    counts.set(component, count);
    return count;
  };
  const clear = () => {
    if (lines > 0) output.write(`\u001B[${lines}A\u001B[J`);
    lines = 0;
  };
  const show = (force: boolean) => {
    const now = clock.now();
    if (!force && now - shownAt < EVERY_MS[style]) return;
    shownAt = now;
    const entries = components.flatMap(({ name }) => (counts.has(name) ? [[name, counts.get(name) as Count] as const] : []));
    if (entries.length === 0) return;
    if (style === 'json') {
      for (const [component, count] of entries) output.write(`${JSON.stringify({ component, ...count })}\n`);
      return;
    }
    clear();
    const block = entries
      .filter(([, count]) => style === 'terminal' || count.rows < count.rowsTotal)
      .map(([name, count]) => line(name, count, now - startedAt));
    for (const text of block) output.write(`${text}\n`);
    if (style === 'terminal') lines = block.length;
  };
  return {
    // Its notes say it to people.
    entered: () => {},
    planned(component, { rows, bytes }) {
      const count = countOf(component);
      count.rowsTotal += rows;
      count.bytesTotal += bytes;
      show(style === 'json');
    },
    advanced(component, { rows, bytes }) {
      const count = countOf(component);
      count.rows += rows;
      count.bytes += bytes;
      show(false);
    },
    note(text) {
      if (style === 'json') {
        output.write(`${JSON.stringify({ note: text })}\n`);
        return;
      }
      clear();
      output.write(`${text}\n`);
      show(style === 'terminal');
    },
    end: () => show(true),
  };
}

function line(name: string, { rows, bytes, rowsTotal, bytesTotal }: Count, elapsedMs: number): string {
  const part = bytesTotal === 0 ? 1 : bytes / bytesTotal;
  const left = part > 0 && part < 1 ? ` ${duration((elapsedMs * (1 - part)) / part)} left` : '';
  return `${name.padEnd(22)} ${String(Math.floor(part * 100)).padStart(3)} %  ${grouped(rows)} of ${grouped(rowsTotal)} rows  ${(bytes / 1e6).toFixed(1)} of ${(bytesTotal / 1e6).toFixed(1)} MB${left}`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
