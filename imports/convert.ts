/**
 * From the text of a source to the exact values of the catalogue. Nothing is guessed: what does not convert is a reason.
 */
export type Converted =
  | { readonly value: string | number | boolean; readonly reason?: undefined }
  | { readonly reason: string; readonly value?: undefined };

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Decimal text, plain or with an exponent, rounded half away from zero to `scale` digits. Works on the digits, never on a
 * float, so `145.79999999999998` with scale 3 is `145.8`.
 */
export function toDecimal(text: string, scale: number): Converted {
  const match = NUMBER.exec(text);
  const whole = match?.[2] ?? '';
  const fraction = match?.[3] ?? '';
  if (match === null || whole + fraction === '') return { reason: `${JSON.stringify(text)} is not a number` };
  const digits = BigInt(whole + fraction);
  // The value is digits × 10^exponent; move it to units of 10^-scale.
  const shift = Number(match[4] ?? 0) - fraction.length + scale;
  const units = shift >= 0 ? digits * 10n ** BigInt(shift) : roundedQuotient(digits, 10n ** BigInt(-shift));
  const padded = units.toString().padStart(scale + 1, '0');
  const decimals = scale === 0 ? '' : padded.slice(-scale).replace(/0+$/, '');
  const plain = padded.slice(0, padded.length - scale) + (decimals === '' ? '' : `.${decimals}`);
  return { value: match[1] === '-' && plain !== '0' ? `-${plain}` : plain };
}

function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  return (dividend * 2n + divisor) / (divisor * 2n);
}

export function negated(decimal: string): string {
  if (decimal === '0') return decimal;
  return decimal.startsWith('-') ? decimal.slice(1) : `-${decimal}`;
}

/** `3.0`, as spreadsheets write whole numbers, is 3; `3.0000000001` is not rounded. */
export function toInteger(text: string): Converted {
  const value = /^[+-]?\d+(?:\.0*)?$/.test(text) ? Number(text) : Number.NaN;
  // No minus zero: it would be another value than zero in some formats and the same in others.
  return Number.isSafeInteger(value) ? { value: value + 0 } : { reason: `${JSON.stringify(text)} is not a whole number` };
}

/** `13085.0`, as spreadsheets write ids, is the id `13085`. */
export function toIdOfNumber(text: string): Converted {
  const match = /^(\d+)(?:\.0+)?$/.exec(text);
  return match === null ? { reason: `${JSON.stringify(text)} is not the number of an id` } : { value: match[1] ?? '' };
}

export function toBoolean(text: string): Converted {
  const lower = text.toLowerCase();
  if (['true', 'yes', 'y', '1'].includes(lower)) return { value: true };
  if (['false', 'no', 'n', '0'].includes(lower)) return { value: false };
  return { reason: `${JSON.stringify(text)} is neither true nor false` };
}
