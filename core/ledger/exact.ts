/** Sums of points without floating point: decimal text of at most three digits after the point. */
const SCALE = 3;

export function thousandths(decimal: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(decimal);
  if (match === null) throw new RangeError(`${decimal} is not a number of points`);
  const [, sign, whole = '0', fraction = ''] = match;
  const value = BigInt(whole) * 1_000n + BigInt(fraction.padEnd(SCALE, '0'));
  return sign === '-' ? -value : value;
}

/** In the catalogue's one form: no zeros at the end, no `-0`. */
export function pointsText(value: bigint): string {
  const size = value < 0n ? -value : value;
  const fraction = String(size % 1_000n)
    .padStart(SCALE, '0')
    .replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${size / 1_000n}${fraction === '' ? '' : `.${fraction}`}`;
}
