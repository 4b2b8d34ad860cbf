import { zstdDecompressSync } from 'node:zlib';
import type { Item } from '../../../../src/ports/table.ts';
import { Bytes } from './bytes.ts';
import { attributes, differs, type Fact, type Facts, packedOf } from './facts.ts';
import { sipHash24 } from './hashes.ts';

const HOUR_MS = 3_600_000;

/** Kept events: exactly one item for each accepted one, and its place in the index by time. */
export function checkStoredEvents(facts: Facts): readonly string[] {
  const { eventsMs } = facts.program.settings.retention;
  if (eventsMs === null) return [];
  const all = facts.result.world.events.items();
  const items = new Map(all.map((item) => [item.pk, item]));
  const accepted = acceptedIn(facts);
  const chunks = all.filter(({ sk }) => sk !== 'event');
  const indexed = chunks.flatMap(eventsIn);
  const names = new Set(indexed.map(({ name }) => name));
  return [
    ...differs('events: items', all.length - chunks.length, accepted.size),
    ...[...accepted].flatMap(([name, fact]) =>
      checkItem(facts, items.get(name), { fact, eventsMs }),
    ),
    ...differs('events: in the index', names.size, accepted.size),
    ...indexed.flatMap((one) =>
      checkIndexed(facts, one, { fact: accepted.get(String(one.name)), packed: false }),
    ),
    ...chunks.flatMap((item) => checkChunk(item, { facts, accepted, eventsMs })),
  ];
}

/** Events that stand in chunks only, and the index that tells in which one an id may be. */
export function checkPackedEvents(facts: Facts): readonly string[] {
  const { eventsMs } = facts.program.settings.retention;
  const all = facts.result.world.events.items();
  const key = facts.result.world.ledger.items().find(({ pk }) => pk === 'id-key')?.k;
  if (eventsMs === null || !(key instanceof Uint8Array)) return ['events: nothing is kept'];
  const accepted = acceptedIn(facts);
  const chunks = all.filter(({ pk }) => pk.endsWith('|t'));
  const indexes = all.filter(({ pk }) => pk.endsWith('|i'));
  const indexed = chunks.flatMap(eventsIn);
  const chunkOf = new Map(chunks.map((item) => [`${item.pk.slice(0, -2)} ${item.sk}`, item]));
  return [
    ...differs('events: others', all.length - chunks.length - indexes.length, 0),
    ...differs('events: in chunks', new Set(indexed.map(({ name }) => name)).size, accepted.size),
    ...indexed.flatMap((one) =>
      checkIndexed(facts, one, { fact: accepted.get(String(one.name)), packed: true }),
    ),
    ...chunks.flatMap((item) => checkChunk(item, { facts, accepted, eventsMs })),
    ...indexes.flatMap((item) => checkIds(item, { facts, accepted, eventsMs, key, chunkOf })),
    ...differs(
      'events: chunks in the index',
      new Set(indexes.flatMap((item) => sectionsIn(item).map(({ sk }) => `${item.pk} ${sk}`))).size,
      chunks.length,
    ),
  ];
}

interface Ids extends Chunked {
  readonly key: Uint8Array;
  readonly chunkOf: ReadonlyMap<string, Item>;
}

/** For each chunk of a batch its sort key, and six bytes of the hash of each id in it. */
function sectionsIn({
  d,
}: Item): readonly { readonly sk: string; readonly ids: readonly string[] }[] {
  const bytes = new Bytes(d);
  const sections = [];
  while (bytes.rest > 0) {
    const sk = String(bytes.value());
    const ids = Array.from({ length: bytes.varint() }, () => bytes.take(6).toString('hex'));
    sections.push({ sk, ids });
  }
  return sections;
}

function checkIds(item: Item, { accepted, eventsMs, key, chunkOf }: Ids): readonly string[] {
  const where = `ids ${item.pk} ${item.sk}`;
  const writer = item.pk.slice(0, -2);
  const [arrival = '', range] = item.sk.split('|');
  const facts: Fact[] = [];
  const found = sectionsIn(item).flatMap(({ sk, ids }) => {
    const chunk = chunkOf.get(`${writer} ${sk}`);
    if (chunk === undefined) return [`${where}: ${sk} is no chunk`];
    const own = eventsIn(chunk).flatMap(({ name }) => accepted.get(String(name)) ?? []);
    facts.push(...own);
    const hashes = own.map((fact) => {
      const hash = sipHash24(key, Buffer.from(nameOf(fact)));
      return hash.toString(16).padStart(16, '0').slice(0, 12);
    });
    return [...differs(`${where}: ids`, ids, hashes), ...differs(where, sk.split('|')[2], range)];
  });
  const latestMs = Math.max(
    ...facts.map(({ data, arrivalMs }) => Math.max(Number(data.at), arrivalMs)),
  );
  const firstMs = Math.min(...facts.map(({ arrivalMs }) => arrivalMs));
  return [
    ...found,
    ...attributes(where, item, ['pk', 'sk', 'v', 'd', 'ttl']),
    ...differs(`${where}: v`, item.v, 1),
    ...differs(`${where}: arrival`, Date.parse(arrival), firstMs),
    ...differs(`${where}: ttl`, item.ttl, Math.ceil((latestMs + eventsMs) / 1000)),
  ];
}

function acceptedIn({ lanes }: Facts): ReadonlyMap<string, Fact> {
  const accepted = [...lanes.values()].flat().filter(({ verdict }) => verdict === 'accepted');
  return new Map(accepted.map((fact) => [nameOf(fact), fact]));
}

function nameOf({ source, id }: Fact): string {
  return `${source} ${id}`;
}

function checkItem(
  { epoch }: Facts,
  item: Item | undefined,
  { fact, eventsMs }: { readonly fact: Fact; readonly eventsMs: number },
): readonly string[] {
  const where = `event ${fact.id}`;
  if (item === undefined) return [`${where}: is missing`];
  const { data, arrivalMs, lane } = fact;
  const { sk, v, k, e, a, w, p, d, ttl } = item;
  const expected = {
    sk: 'event',
    v: 2,
    k: data.place,
    e: data.at,
    a: arrivalMs,
    w: `${epoch}.${lane}`,
    p: packedOf(fact),
    d: JSON.stringify([data]),
    ttl: Math.ceil((Math.max(Number(data.at), arrivalMs) + eventsMs) / 1000),
  };
  return [
    ...attributes(where, item, ['pk', 'sk', 'v', 'k', 'e', 'a', 'w', 'p', 'd', 'ttl']),
    ...differs(where, { sk, v, k, e, a, w, p, d, ttl }, expected),
  ];
}

/** One line of the index. */
interface Indexed {
  readonly writer: string;
  readonly name: unknown;
  readonly told: readonly unknown[];
}

/** Six columns: time, arrival and position as differences, then key, name, and no rows. */
function eventsIn({ pk, d }: Item): readonly Indexed[] {
  const bytes = new Bytes(zstdDecompressSync(d instanceof Uint8Array ? d : new Uint8Array()));
  const column = (): unknown[] => [bytes.value()].flat();
  const [times, arrivals] = [sums(column()), sums(column())];
  const positions = positionsIn(column());
  const [keys, names, rows] = [column(), column(), column()];
  const rest = bytes.rest;
  return names.map((name, index) => ({
    writer: pk.replace(/\|t$/, ''),
    name,
    told: [times[index], arrivals[index], positions[index], keys[index], rows[index], rest],
  }));
}

function sums(column: readonly unknown[]): readonly number[] {
  let sum = 0;
  return column.map((value) => {
    sum += Number(value);
    return sum;
  });
}

/** A number is a step from the sequence number before. */
function positionsIn(column: readonly unknown[]): readonly string[] {
  let before = '';
  return column.map((value) => {
    const [shard, sequence = '', index] = before.split('.');
    const place = index === undefined ? '' : `.${index}`;
    before =
      typeof value === 'number'
        ? `${shard}.${(BigInt(sequenceOf(sequence)) + BigInt(value)).toString(36)}${place}`
        : String(value);
    return before;
  });
}

function sequenceOf(base36: string): bigint {
  return [...base36].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
}

function checkIndexed(
  { epoch }: Facts,
  { writer, name, told }: Indexed,
  { fact, packed }: { readonly fact: Fact | undefined; readonly packed: boolean },
): readonly string[] {
  if (fact === undefined) return [`event ${name}: in the index, and not accepted`];
  const { data, arrivalMs, lane } = fact;
  const rows = packed ? JSON.stringify([data]) : null;
  const expected = [data.at, arrivalMs, packedOf(fact), data.place, rows, 0];
  return [
    ...differs(`event ${name}: index`, told, expected),
    ...differs(`event ${name}: writer`, writer, `${epoch}.${lane}`),
  ];
}

interface Chunked {
  readonly facts: Facts;
  readonly accepted: ReadonlyMap<string, Fact>;
  readonly eventsMs: number;
}

/** Its key tells the span, the first event's time, and between which records it was made. */
function checkChunk(item: Item, { facts, accepted, eventsMs }: Chunked): readonly string[] {
  const where = `chunk ${item.pk} ${item.sk}`;
  const events = eventsIn(item).flatMap(({ name }) => accepted.get(String(name)) ?? []);
  const times = events.map(({ data }) => Number(data.at));
  const [first = 0, last = 0] = [times[0], times.at(-1)];
  const span = last - first;
  const spanClass = span <= HOUR_MS ? 0 : span <= 24 * HOUR_MS ? 1 : 2;
  const range = (item.sk.split('|')[2] ?? '').split('-');
  const lane = item.pk.slice(facts.epoch.length + 1).replace(/\|t$/, '');
  const places = facts.lanes.get(lane)?.map(packedOf) ?? [];
  const [from = -1, to = -1] = range.map((place) => places.indexOf(place));
  const latestMs = Math.max(
    ...events.map(({ data, arrivalMs }) => Math.max(Number(data.at), arrivalMs)),
  );
  const ttls = Number(item.ttl) * 1000 - eventsMs - latestMs;
  return [
    ...attributes(where, item, ['pk', 'sk', 'v', 'd', 'ttl']),
    ...differs(`${where}: v`, item.v, 1),
    ...differs(`${where}: key`, item.sk.split('|').slice(0, 2), [
      String(spanClass),
      new Date(first).toISOString(),
    ]),
    ...differs(`${where}: number`, /^\d+$/.test(item.sk.split('|')[3] ?? ''), true),
    ...differs(
      `${where}: order`,
      times,
      [...times].sort((left, right) => left - right),
    ),
    ...differs(
      `${where}: range`,
      events.every((one) => isWithin(places.indexOf(packedOf(one)), [from, to])),
      true,
    ),
    ...differs(`${where}: ttl`, ttls >= 0 && ttls < 1_000, true),
  ];
}

function isWithin(place: number, [from, to]: readonly [number, number]): boolean {
  return from >= 0 && place >= from && place <= to;
}
