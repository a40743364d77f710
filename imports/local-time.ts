import type { Converted } from './convert.ts';

/**
 * Local times of a source, in the format it uses, to instants and business dates.
 *
 * A time that a clock showed twice (end of summer time) is the earlier of the two; one that it never showed (start of
 * summer time) is taken with the offset from before, so it comes out as much later as the clock jumped.
 */
const TOKENS: Readonly<Record<string, string>> = {
  yyyy: '(?<year>\\d{4})',
  yy: '(?<year>\\d{2})',
  MM: '(?<month>\\d{2})',
  M: '(?<month>\\d{1,2})',
  dd: '(?<day>\\d{2})',
  d: '(?<day>\\d{1,2})',
  HH: '(?<hour>\\d{2})',
  H: '(?<hour>\\d{1,2})',
  mm: '(?<minute>\\d{2})',
  ss: '(?<second>\\d{2})',
};
const PARTS = /yyyy|yy|MM|M|dd|d|HH|H|mm|ss|[^A-Za-z]|./g;
const DAY_MS = 86_400_000;

const patterns = new Map<string, RegExp>();

function patternOf(format: string): RegExp {
  let pattern = patterns.get(format);
  if (pattern === undefined) {
    const source = format.replaceAll(PARTS, (part) => TOKENS[part] ?? part.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&'));
    pattern = new RegExp(`^${source}$`);
    patterns.set(format, pattern);
  }
  return pattern;
}

/** Why a format cannot be used, or null. Letters that are no part of a time are a mistake, but for the T and Z of ISO 8601. */
export function formatIssue(format: string): string | null {
  const parts = format.match(PARTS) ?? [];
  const unknown = parts.find((part) => /[A-Za-z]/.test(part) && TOKENS[part] === undefined && part !== 'T' && part !== 'Z');
  if (unknown !== undefined) return `${unknown} is no part of a time; there are ${Object.keys(TOKENS).join(', ')}`;
  const kinds = parts.filter((part) => TOKENS[part] !== undefined).map((part) => part[0] ?? '');
  if (new Set(kinds).size < kinds.length) return 'names the same part of a time twice';
  return ['y', 'M', 'd'].every((kind) => kinds.includes(kind)) ? null : 'needs a year, a month and a day, for example yyyy-MM-dd';
}

export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Milliseconds as if the local time were UTC, or why it is no time. Two-digit years are 1970 to 2069. */
function localMs(text: string, format: string): number | string {
  const groups = patternOf(format).exec(text)?.groups;
  if (groups === undefined) return `${JSON.stringify(text)} is not of the form ${format}`;
  const part = (name: string, otherwise: number) => (groups[name] === undefined ? otherwise : Number(groups[name]));
  const short = part('year', 1970);
  const year = groups['year']?.length === 2 ? short + (short < 70 ? 2_000 : 1_900) : short;
  const ms = Date.UTC(year, part('month', 1) - 1, part('day', 1), part('hour', 0), part('minute', 0), part('second', 0));
  const back = new Date(ms);
  const same =
    back.getUTCFullYear() === year &&
    back.getUTCMonth() === part('month', 1) - 1 &&
    back.getUTCDate() === part('day', 1) &&
    back.getUTCHours() === part('hour', 0);
  return same && part('minute', 0) < 60 && part('second', 0) < 60 ? ms : `${JSON.stringify(text)} is no time that exists`;
}

export function toDate(text: string, format: string): Converted {
  const ms = localMs(text, format);
  return typeof ms === 'string' ? { reason: ms } : { value: new Date(ms).toISOString().slice(0, 10) };
}

export function toInstant(text: string, { format, zone }: { format: string; zone: string }): Converted {
  const local = localMs(text, format);
  if (typeof local === 'string') return { reason: local };
  const before = offsetMs(zone, local - DAY_MS);
  const after = offsetMs(zone, local + DAY_MS);
  const fitting = [before, after].filter((offset) => offsetMs(zone, local - offset) === offset);
  const offset = fitting.length > 0 ? Math.max(...fitting) : before;
  return { value: new Date(local - offset).toISOString().replace('.000Z', 'Z') };
}

const formats = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, number>();

/** What local clocks of a zone are ahead of UTC. Zones change on quarter hours, so that is how finely it is remembered. */
function offsetMs(zone: string, utcMs: number): number {
  const quarter = Math.floor(utcMs / 900_000);
  const cacheKey = `${zone} ${quarter}`;
  let offset = offsets.get(cacheKey);
  if (offset === undefined) {
    if (offsets.size > 100_000) offsets.clear();
    offset = measureOffset(zone, quarter * 900_000);
    offsets.set(cacheKey, offset);
  }
  return offset;
}

function measureOffset(zone: string, utcMs: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-u-hc-h23', {
      timeZone: zone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const parts = new Map(format.formatToParts(utcMs).map((part) => [part.type, Number(part.value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - utcMs;
}
