import { zstdDecompressSync } from 'node:zlib';
import { BatchComputation, resultName } from '../batch/batch.ts';
import { compareResults } from '../batch/compare.ts';
import { decodeChunk } from '../core/event-chunk.ts';
import { packParts } from '../core/layout.ts';
import { decodeEntry, ENTRIES } from '../core/ledger.ts';
import { decodePage } from '../core/page.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import {
  comparePositions,
  encodePosition,
  type Position,
  sortablePosition,
  unpackPosition,
} from '../core/position.ts';
import type { Program } from '../core/program.ts';
import { mergePages } from '../core/read.ts';
import type { RejectionReason } from '../core/rejection.ts';
import { epochOfWriter } from '../core/writer.ts';
import { EVENT_KEY } from '../handlers/write-events.ts';
import type { Item } from '../ports/table.ts';
import type { SimRecord, SimWorld } from './world.ts';

/**
 * What must hold, each apart from the code that it checks. Two look at every write while the
 * simulation runs, the others at what stands at its end.
 */

/** Watches writes: ledger chains grow by one and forward, cells move forward. */
export class WriteChecker {
  readonly #heads = new Map<string, { n: number; position: Position | undefined }>();
  readonly #cells = new Map<string, Position>();
  readonly violations: string[] = [];

  readonly onWritten = (table: 'ledger' | 'aggregates', item: Item): void => {
    if (table === 'aggregates') this.#cell(item);
    else if (item.sk.startsWith(ENTRIES)) this.#entry(item);
  };

  #entry(item: Item): void {
    const { n, position } = decodeEntry(item);
    const head = this.#heads.get(item.pk) ?? { n: 0, position: undefined };
    if (n !== head.n + 1) this.violations.push(`ledger ${item.pk}: entry ${n} after ${head.n}`);
    // Equal: the keeper's marker.
    const back =
      head.position !== undefined &&
      (position === undefined || comparePositions(position, head.position) < 0);
    if (back) this.violations.push(`ledger ${item.pk}: entry ${n} goes back`);
    this.#heads.set(item.pk, { n, position });
  }

  #cell(item: Item): void {
    const name = `${item.pk} ${item.sk}`;
    const position = unpackPosition(String(item.p));
    const before = this.#cells.get(name);
    if (before !== undefined && comparePositions(position, before) <= 0) {
      this.violations.push(`cell ${name}: goes back to ${encodePosition(position)}`);
    }
    this.#cells.set(name, position);
  }
}

/** What the end is checked with. */
export interface EndState {
  readonly world: SimWorld;
  readonly pipeline: AnyPipeline;
  readonly program: Program;
  /** Everything that was in the stream, in the order of its shard. */
  readonly records: readonly SimRecord[];
}

/** The end state's violations; none where all holds. */
export function checkEnd(state: EndState): readonly string[] {
  return [
    ...checkResults(state),
    ...checkPlaces(state),
    ...checkQuarantine(state),
    ...checkEvents(state),
  ];
}

/**
 * Exactly once: the cells equal a batch computation over the same records. A record that was
 * quarantined as a crash is left out of it; that it did kill the function is checked by the caller.
 */
function checkResults(state: EndState): readonly string[] {
  const { world, program } = state;
  const batch = computed(state);
  const rows = new Map<string, Readonly<Record<string, unknown>>>();
  for (const aggregate of program.aggregates) {
    for (const row of mergePages(aggregate, pagesOf(world, aggregate.name))) {
      const name = resultName(aggregate.name, row.startMs, JSON.stringify(row.group));
      const ends = aggregate.type === 'session' ? { endMs: row.endMs } : {};
      rows.set(name, { ...row.columns, ...ends });
    }
  }
  const refused = new Map<RejectionReason, number>();
  for (const { r } of world.quarantineIndex.items()) {
    const reason = r as RejectionReason;
    if (reason !== 'crash') refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }
  const { differences } = compareResults({ rows, refused }, batch.result());
  return differences.map(
    ({ where, stored, computed: right }) =>
      `${where}: stored ${JSON.stringify(stored)}, computed ${JSON.stringify(right)}`,
  );
}

function pagesOf(world: SimWorld, aggregate: string): readonly Item[] {
  return world.aggregates.items().filter(({ pk }) => packParts(pk).aggregate === aggregate);
}

/** A cell of a writer is in one page only: in two it would be read twice. */
function checkPlaces({ world, program }: EndState): readonly string[] {
  return program.aggregates.flatMap((aggregate) => {
    const names = pagesOf(world, aggregate.name).flatMap((item) =>
      decodePage(aggregate, item).cells.map(
        ({ startMs, group }) => `${item.pk} ${startMs} ${group}`,
      ),
    );
    const seen = new Set<string>();
    const twice = names.filter((name) => seen.size === seen.add(name).size);
    return twice.map((name) => `cell ${name}: is in two pages`);
  });
}

function computed({ world, pipeline, program, records }: EndState): BatchComputation {
  const batch = new BatchComputation(pipeline, program);
  const crashed = new Set(
    world.quarantineIndex
      .items()
      .filter(({ r }) => r === 'crash')
      .map(({ pk, sk }) => `${lastPart(pk)} ${sk}`),
  );
  const entry = world.ledger.items().find(({ sk }) => sk.startsWith(ENTRIES));
  const epoch = epochOfWriter(entry?.pk ?? '');
  for (const record of records) {
    const lane = `p${record.partitionKey.slice(2)}`;
    if (crashed.has(`${lane} ${sortableOf(record)}`)) continue;
    const name = `${epoch}.${lane} ${record.shard}:${record.sequence}:0`;
    batch.add({ bytes: record.bytes, lane, arrivalMs: record.arrivalMs, name });
  }
  return batch;
}

/** Nothing is lost: each index item leads to a document with the record's very bytes. */
function checkQuarantine({ world, records }: EndState): readonly string[] {
  const bytes = new Map(
    records.map((record) => [
      `p${record.partitionKey.slice(2)} ${sortableOf(record)}`,
      Buffer.from(record.bytes).toString('base64'),
    ]),
  );
  return world.quarantineIndex.items().flatMap((item) => {
    const object = world.quarantine.objects.get(String(item.o));
    const line = Buffer.from(object ?? [])
      .toString()
      .split('\n')[Number(item.l)];
    const name = `${lastPart(item.pk)} ${item.sk}`;
    if (line === undefined || line === '') return [`quarantine ${name}: its document is missing`];
    const document: { bytes: string; reason: string } = JSON.parse(line);
    return document.bytes === bytes.get(name) && document.reason === item.r
      ? []
      : [`quarantine ${name}: its document is another record's`];
  });
}

/** Kept events are those that were accepted, once each. */
function checkEvents(state: EndState): readonly string[] {
  if (state.program.settings.retention.eventsMs === null) return [];
  const { accepted } = computed(state).result();
  const items = state.world.events.items();
  const names = items.flatMap((item) => {
    if (item.sk === EVENT_KEY) return [item.pk];
    return item.pk.endsWith('|t')
      ? decodeChunk(zstdDecompressSync(item.d as Uint8Array)).map(({ name }) => name)
      : [];
  });
  // Each is stored, and found by key and time; packed otherwise by another try, it stands twice.
  const { layout, index } = state.program.settings.events;
  const places = layout === 'each' && index ? 2 : 1;
  const stored = new Set(names).size;
  const short = [...Map.groupBy(names, (name) => name).values()].filter(
    (all) => all.length < places,
  );
  return stored === accepted && short.length === 0
    ? []
    : [`events: ${stored} are kept, ${accepted} were accepted; ${short.length} without index`];
}

function sortableOf(record: SimRecord): string {
  return sortablePosition({ shard: record.shard, sequence: record.sequence, index: 0 });
}

function lastPart(writer: string): string {
  return writer.slice(writer.lastIndexOf('.') + 1);
}
