/** Entries of a top that are shown. */
const TOP_SHOWN = 3;

/** Characters of a user's own result that are shown. */
const TEXT_SHOWN = 40;

const BARS = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** The head of a column: its name, of percentiles with what stands there in which order. */
export function showHead(name: string, value: unknown): string {
  const names = percentNames(value);
  return names.length === 0 ? name : `${name} ${names.join(' / ')}`;
}

/** A result in the space of a table's cell. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'number') return showNumber(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return showList(value);
  const names = percentNames(value);
  if (names.length > 0) return names.map((name) => showValue(Reflect.get(value, name))).join(' / ');
  return shorten(JSON.stringify(value));
}

function showNumber(value: number): string {
  const digits = Number.isInteger(value) ? 0 : 2;
  // Digits of a very large or very small number say less than its size.
  if (value !== 0 && (Math.abs(value) >= 1e12 || Math.abs(value) < 0.005)) {
    return value.toExponential(2);
  }
  return value.toLocaleString('en-US', {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
}

function showList(values: readonly unknown[]): string {
  if (values.length > 0 && values.every((value) => isBucket(value))) return showBuckets(values);
  const entries = values.filter((value) => isTopEntry(value));
  if (entries.length !== values.length) return shorten(JSON.stringify(values));
  if (entries.length === 0) return '-';
  const shown = entries
    .slice(0, TOP_SHOWN)
    .map(({ key, weight, error }) => `${key} ${error > 0 ? '~' : ''}${showNumber(weight)}`);
  return [...shown, ...(entries.length > TOP_SHOWN ? ['…'] : [])].join(', ');
}

/** A bar a bucket, the fullest one full; a dot for an empty one. */
function showBuckets(buckets: readonly { readonly count: number }[]): string {
  const most = Math.max(...buckets.map(({ count }) => count), 1);
  return buckets.map(({ count }) => BARS[Math.ceil((count / most) * (BARS.length - 1))]).join('');
}

function percentNames(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  const names = Object.keys(value);
  return names.every((name) => /^p\d+(\.\d+)?$/.test(name)) ? names : [];
}

function isBucket(value: unknown): value is { readonly count: number } {
  return isObject(value) && 'from' in value && 'to' in value && typeof value['count'] === 'number';
}

function isTopEntry(
  value: unknown,
): value is { readonly key: unknown; readonly weight: number; readonly error: number } {
  return (
    isObject(value) &&
    'key' in value &&
    typeof value['weight'] === 'number' &&
    typeof value['error'] === 'number'
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function shorten(text: string): string {
  return text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN - 1)}…` : text;
}
