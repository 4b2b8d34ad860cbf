import type { Item } from '../../../../src/ports/table.ts';
import { Bytes } from './bytes.ts';
import { attributes, differs, type Fact, type Facts, outside, positionOf } from './facts.ts';
import { murmur3of32, sipHash24 } from './hashes.ts';

const HOUR_MS = 3_600_000;

/** The ledger, item by item: chains, registry, the key of the ids' hash. */
export function checkLedger(facts: Facts): readonly string[] {
  const items = facts.result.world.ledger.items();
  const key = items.find(({ pk }) => pk === 'id-key');
  if (!(key?.k instanceof Uint8Array)) return ['ledger: has no id-key'];
  const known = [
    'id-key',
    '1|registry',
    '1|versions',
    ...[...facts.lanes.keys()].map((lane) => `1|${facts.epoch}.${lane}`),
  ];
  return [
    ...items.filter(({ pk }) => !known.includes(pk)).map(({ pk }) => `ledger: has a ${pk}`),
    ...attributes('id-key', key, ['pk', 'sk', 'v', 'k']),
    ...differs('id-key', [key.sk, key.v, key.k.length], ['id-key', 1, 16]),
    ...checkRegistry(facts, items),
    ...checkVersions(facts, items),
    ...[...facts.lanes].flatMap(([lane, records]) =>
      checkChain(facts, { lane, records, items, key: key.k as Uint8Array }),
    ),
  ];
}

function checkRegistry(facts: Facts, items: readonly Item[]): readonly string[] {
  const listed = items.filter(({ pk }) => pk === '1|registry');
  const writers = [...facts.lanes.keys()].map((lane) => `${facts.epoch}.${lane}`);
  return [
    ...differs('registry', listed.map(({ sk }) => sk).sort(), writers.sort()),
    ...listed.flatMap((item) => [
      ...attributes('registry', item, ['pk', 'sk', 'v', 't']),
      ...differs('registry', item.v, 1),
      ...outside('registry', item.t, [facts.result.startMs, facts.endMs]),
    ]),
  ];
}

/** Nothing but the version that runs was ever announced. */
function checkVersions(facts: Facts, items: readonly Item[]): readonly string[] {
  const listed = items.filter(({ pk }) => pk === '1|versions');
  const list = JSON.stringify([[0, facts.program.fingerprint]]);
  return [
    ...differs('versions', listed.length, 1),
    ...listed.flatMap((item) => [
      ...attributes('versions', item, ['pk', 'sk', 'v', 'r', 'l']),
      ...differs('versions', [item.sk, item.v, item.r, item.l], ['list', 1, 1, list]),
    ]),
  ];
}

interface Chain {
  readonly lane: string;
  readonly records: readonly Fact[];
  readonly items: readonly Item[];
  readonly key: Uint8Array;
}

function checkChain(facts: Facts, { lane, records, items, key }: Chain): readonly string[] {
  const pk = `1|${facts.epoch}.${lane}`;
  const entries = items.filter((item) => item.pk === pk && item.sk.startsWith('e'));
  const found: string[] = [];
  let from = 0;
  for (const [index, entry] of entries.entries()) {
    const where = `${lane} entry ${index + 1}`;
    found.push(...differs(where, entry.sk, `e#${String(index + 1).padStart(12, '0')}`));
    const end = records.findIndex((record) => positionOf(record) === entry.p);
    const isMarker = index > 0 && entry.p === entries[index - 1]?.p;
    if (end < from && !isMarker) found.push(`${where}: is at ${entry.p}`);
    const covered = records.slice(from, end + 1);
    from = Math.max(from, end + 1);
    found.push(
      ...checkEntry(facts, { where, entry, covered, before: records.slice(0, from), key }),
    );
  }
  return [...found, ...differs(`${lane}: records in the ledger`, from, records.length)];
}

interface Entry {
  readonly where: string;
  readonly entry: Item;
  readonly covered: readonly Fact[];
  /** Everything up to it. */
  readonly before: readonly Fact[];
  readonly key: Uint8Array;
}

function checkEntry(
  facts: Facts,
  { where, entry, covered, before, key }: Entry,
): readonly string[] {
  const isAccepted = ({ verdict }: Fact) => verdict === 'accepted';
  const times = before.filter(isAccepted).map(({ data }) => Number(data.at));
  const arrivalMs = Math.max(...before.map((record) => record.arrivalMs));
  const { horizonMs, retention } = facts.program.settings;
  const lifeMs = Math.max(arrivalMs, Number(entry.t)) + horizonMs + retention.streamMs;
  const ids = covered.filter(isAccepted).map((record) => {
    const hash = sipHash24(key, Buffer.from(`${record.source} ${record.id}`));
    return [hash.toString(16), murmur3of32(record.bytes) >>> 8, record.arrivalMs];
  });
  const optional = [...(times.length > 0 ? ['w'] : []), ...(ids.length > 0 ? ['i'] : [])];
  return [
    ...attributes(where, entry, ['pk', 'sk', 'v', 'a', 'f', 't', 'ttl', 'p', ...optional]),
    ...differs(`${where}: v`, entry.v, 1),
    ...differs(`${where}: arrival`, entry.a, arrivalMs),
    ...differs(`${where}: watermark`, entry.w, times.length > 0 ? Math.max(...times) : undefined),
    ...differs(`${where}: fingerprint`, entry.f, facts.program.fingerprintAt(arrivalMs)),
    ...outside(`${where}: written`, entry.t, [arrivalMs, facts.endMs]),
    ...outside(`${where}: ttl`, Number(entry.ttl) * 1000, [lifeMs, lifeMs + 2 * HOUR_MS]),
    ...differs(`${where}: ids`, entry.i === undefined ? [] : idsIn(entry.i, arrivalMs), ids),
  ];
}

/** Count, runs of equal arrival, then 11 bytes an id. */
export function idsIn(value: unknown, baseMs: number): readonly unknown[] {
  const bytes = new Bytes(value);
  const count = bytes.varint();
  const arrivals: number[] = [];
  while (arrivals.length < count) {
    const arrivalMs = baseMs - bytes.varint();
    arrivals.push(...Array<number>(bytes.varint()).fill(arrivalMs));
  }
  const ids = arrivals.map((arrivalMs) => {
    const hash = bytes.take(8).readBigUInt64BE();
    return [hash.toString(16), bytes.number(3), arrivalMs];
  });
  return [...ids, ...(bytes.rest > 0 ? [`${bytes.rest} bytes more`] : [])];
}
