import { zstdDecompressSync } from 'node:zlib';
import type { Item } from '../../../../src/ports/table.ts';
import type { SimResult } from '../../../../src/sim/schedule.ts';
import type { SimRecord } from '../../../../src/sim/stream.ts';
import { attributes, differs, epochOf, outside } from './facts.ts';

/** The archive as it is stored: tails, names and lines, of a simulation whose stream was made once. */
export function checkArchive(result: SimResult): readonly string[] {
  const shards = Map.groupBy(result.records, ({ shard }) => shard);
  const tails = result.world.ledger.items();
  const names = [...shards.keys()].map((shard) => [`archive|${epochOf(result)}`, digits(shard)]);
  return [
    ...differs('tails', tails.map(({ pk, sk }) => [pk, sk]).sort(), names.sort()),
    ...tails.flatMap((tail) => checkTail(result, tail, shards.get(Number(tail.sk)) ?? [])),
    ...[...result.world.quarantine.objects].flatMap(([key, bytes]) =>
      checkObject(result, key, bytes),
    ),
  ];
}

function digits(shard: number): string {
  return String(shard).padStart(12, '0');
}

function checkTail(result: SimResult, tail: Item, records: readonly SimRecord[]) {
  const [first, last] = [records[0], records.at(-1)];
  const where = `tail of ${tail.sk}`;
  const { nowMs: endMs = 0 } = result.trace.at(-1) ?? {};
  const { v, f, b, p, a } = tail;
  const [firstMs, lastMs] = [first, last].map((one) => Math.round(one?.arrivalMs ?? 0));
  return [
    ...attributes(where, tail, ['pk', 'sk', 'v', 'f', 'b', 'p', 'a', 'k']),
    ...differs(where, [v, f, b, p, a], [1, first?.sequence, firstMs, last?.sequence, lastMs]),
    ...outside(`${where}: known`, tail.k, [lastMs ?? 0, endMs]),
  ];
}

/** Where the flag of a check sum stands in a frame of Zstandard, and which bit it is. */
const FLAGS_AT = 4;
const CHECK_SUM = 4;

function checkObject(result: SimResult, key: string, bytes: Uint8Array): readonly string[] {
  const lines = zstdDecompressSync(bytes).toString().split('\n');
  const { shard, sequence, arrival_ms: arrivalMs } = JSON.parse(lines[0] ?? '');
  const own = result.records.filter((one) => one.shard === shard);
  const from = own.findIndex((one) => one.sequence === sequence);
  const records = own.slice(from, from + lines.length - 1);
  const time = new Date(arrivalMs).toISOString();
  const folder = `archive/v1/day=${time.slice(0, 10)}/hour=${time.slice(11, 13)}/`;
  const span = [records[0], records.at(-1)].map((one) => sortable(one?.sequence ?? ''));
  const start = `${folder}${epochOf(result)}.${digits(shard)}.${span.join('.')}.`;
  const before = own[from - 1];
  const after = [
    ...(before === undefined ? [] : [`${start}${sortable(before.sequence)}.jsonl.zst`]),
    `${start}unknown.jsonl.zst`,
  ];
  return [
    ...(after.includes(key) ? [] : [`object ${key}: expected one of ${after.join(', ')}`]),
    ...differs(`${key}: check sum`, (bytes[FLAGS_AT] ?? 0) & CHECK_SUM, CHECK_SUM),
    ...differs(`${key}: end`, lines.at(-1), ''),
    ...records.flatMap((one, index) => checkLine(key, lines[index] ?? '', one)),
  ];
}

/** The length first, so that the order of the texts is the order of the numbers. */
function sortable(sequence: string): string {
  return `${String(sequence.length).padStart(3, '0')}-${sequence}`;
}

function checkLine(key: string, line: string, record: SimRecord): readonly string[] {
  const { text, base64, ...head } = JSON.parse(line);
  const bytes = Buffer.from(text ?? base64, text === undefined ? 'base64' : 'utf8');
  return differs(
    key,
    [Object.entries(head), bytes.toString('hex')],
    [
      [
        ['shard', record.shard],
        ['sequence', record.sequence],
        ['arrival_ms', Math.round(record.arrivalMs)],
        ['partition_key', record.partitionKey],
      ],
      Buffer.from(record.bytes).toString('hex'),
    ],
  );
}
