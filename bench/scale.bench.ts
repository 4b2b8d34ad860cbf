/**
 * CPU of the handler an event as partitions, groups and skew grow, at a fixed number of records per writer and batch,
 * warm, over our own client with its HTTP answered at once. Writes bench/report/scale.html.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeSkippingClock } from '../src/adapters/memory/clock.ts';
import { compile } from '../src/core/compile.ts';
import type { AnyPipeline } from '../src/core/pipeline/types.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import { loadDecoder } from '../src/project/decoder.ts';
import { type Chart, reportPage, type Series } from './lib/line-chart.ts';
import {
  interleave,
  machine,
  type Spread,
  showSpread,
  spreadOf,
  type Variant,
} from './lib/measure.ts';
import { leanTable } from './lib/mock-dynamo.ts';
import { type SpreadOptions, spreadBatches, spreadPipeline } from './lib/spread-stream.ts';
import { portsAround, remembersKey } from './lib/stub-ports.ts';

const NOW_MS = Date.UTC(2026, 10, 24, 12);
const PER_WRITER = 100;
const ROUNDS = 5;
/** Records of a variant's round, about. */
const RECORDS = 12_800;

interface Point extends Pick<SpreadOptions, 'partitions' | 'groups' | 'hot'> {
  readonly name: string;
}

async function variantOf(point: Point): Promise<Variant> {
  const pipeline = spreadPipeline(point) as unknown as AnyPipeline;
  const { make } = await loadDecoder(pipeline);
  const program = compile(pipeline, new Map(), { makeDecoder: make });
  const records = point.partitions * PER_WRITER;
  const batches = spreadBatches({
    ...point,
    perWriter: PER_WRITER,
    batches: Math.max(2, Math.round(RECORDS / records)),
    nowMs: NOW_MS,
  });
  return {
    name: point.name,
    make: () => {
      const table = leanTable(makeSkippingClock(NOW_MS));
      const tables = { ledger: remembersKey(table), aggregates: table, events: table };
      const consume = makeConsume(portsAround(tables, NOW_MS), program);
      return async () => {
        for (const batch of batches) {
          await consume(batch, { requestId: 'r', deadlineMs: NOW_MS + 60_000 });
        }
      };
    },
  };
}

/** Spreads by the points' names, microseconds an event. */
async function measure(points: readonly Point[]): Promise<readonly Spread[]> {
  const variants = await Promise.all(points.map(variantOf));
  const rounds = await interleave(variants, {
    batches: 1,
    units: RECORDS,
    warmUp: 2,
    rounds: ROUNDS,
  });
  return variants.map(({ name }) => spreadOf(rounds.map((round) => round.get(name) ?? Number.NaN)));
}

function seriesOf(name: string, xs: readonly number[], spreads: readonly Spread[]): Series {
  return {
    name,
    points: spreads.map(({ median, least, greatest }, index) => ({
      x: xs[index] ?? 0,
      y: median,
      low: least,
      high: greatest,
    })),
  };
}

function show(what: string, xs: readonly number[], spreads: readonly Spread[]): number {
  for (const [index, spread] of spreads.entries()) {
    console.log(
      `${what.padEnd(12)} ${String(xs[index]).padStart(8)}  ${showSpread(spread)} us an event`,
    );
  }
  return (spreads.at(-1)?.median ?? Number.NaN) / (spreads[0]?.median ?? Number.NaN);
}

const PARTITIONS = [1, 4, 16, 64];
const GROUPS = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
const even = await measure(
  PARTITIONS.map((partitions) => ({ name: `p${partitions}`, partitions, groups: 6_400, hot: 0 })),
);
const hot = await measure(
  PARTITIONS.map((partitions) => ({ name: `p${partitions}`, partitions, groups: 6_400, hot: 0.9 })),
);
const groups = await measure(
  GROUPS.map((count) => ({ name: `g${count}`, partitions: 1, groups: count, hot: 0 })),
);
console.log(`${machine()}, ${PER_WRITER} records a writer and batch, ${ROUNDS} rounds`);
const growth = [
  `Partitions 1 to 64: times ${show('partitions', PARTITIONS, even).toFixed(2)}`,
  `the same, 90 % of the events of one group a partition: times ${show('hot', PARTITIONS, hot).toFixed(2)}`,
  `groups 10 to 1M: times ${show('groups', GROUPS, groups).toFixed(2)}`,
].join('; ');
console.log(growth);

const yLabel = 'microseconds of CPU an event';
const charts: readonly Chart[] = [
  {
    title: 'Partitions (writers in a batch)',
    xLabel: 'partitions',
    yLabel,
    series: [
      seriesOf('6,400 groups', PARTITIONS, even),
      seriesOf('90 % in one group', PARTITIONS, hot),
    ],
  },
  {
    title: 'Groups of one writer',
    xLabel: 'groups',
    yLabel,
    series: [seriesOf('even', GROUPS, groups)],
  },
];
const paragraphs = [
  `CPU of the handler an event, aggregates only, with signing and without the network; ${PER_WRITER} records a writer and batch. ${machine()}, shared with other work. Medians of ${ROUNDS} interleaved rounds; bars from least to greatest.`,
  `${growth}.`,
];
const file = path.join(import.meta.dirname, 'report', 'scale.html');
writeFileSync(file, reportPage('Cost an event', paragraphs, charts));
console.log(`written: ${file}`);
