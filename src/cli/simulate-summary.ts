import pc from 'picocolors';
import type { MappingSettings } from '../mapping/settings.ts';
import { type Coverage, coverageOf, faultsAt, HITS_ENOUGH, seldomHit } from '../sim/coverage.ts';
import { FAULTS, type FaultName, LASTING_FAULTS, REQUEST_FAULTS } from '../sim/faults.ts';
import type { ScheduleOutcome, Schedules } from './schedules.ts';

/** What a summary is made of. */
export interface Summary {
  readonly schedules: Schedules;
  /** In the order of seeds; only the last may have failed. */
  readonly outcomes: readonly ScheduleOutcome[];
}

/** What happens besides faults, and is worth a line. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['split', 'a shard was split'],
  ['merge', 'two shards were merged'],
  ['cold start', 'a container started'],
  ['throttled invocation', 'Lambda refused to run, for its limits too'],
  ['function timed out', 'the function ran out of time'],
  ['function died', 'its container died'],
  ['function threw', 'it threw'],
  ['thawed after its end', 'a frozen container went on after its end'],
  ['halved batch', 'the mapping halved a batch'],
  ['partial response', 'the function left records for the next try'],
  ['throttled item', 'DynamoDB throttled a partition'],
  ['keeper', 'the keeper ran'],
  ['closer', 'the closer ran'],
  ['window.closed', 'a row was published'],
  ['window.corrected', 'a published row was corrected'],
  ['expiry', 'expired items were deleted'],
];

/** The summary as text. */
export function summaryText({ schedules, outcomes }: Summary): string {
  const coverage = coverageOf(outcomes);
  const { faults, events } = schedules;
  return [
    headline({ schedules, outcomes }, coverage),
    ...faults.map((name) => countLine(name, coverage.counts[name], FAULTS[name].text)),
    '',
    ...OTHERS.map(([name, text]) => countLine(name, coverage.counts[name], text, 'never')),
    '',
    ...awaitLines(coverage),
    '',
    seldomLine(coverage, schedules),
    `Medians of a schedule: ${coverage.medianFaults} faults, ${coverage.medianEvents} events (${events} and repeats).`,
  ].join('\n');
}

/** The summary as one object. */
export function summaryObject({ schedules, outcomes }: Summary): object {
  const coverage = coverageOf(outcomes);
  const failing = outcomes.find(({ violations }) => violations.length > 0);
  return {
    pipeline: schedules.pipeline,
    seeds: outcomes.length,
    events: outcomes.reduce((sum, one) => sum + one.events, 0),
    medianEvents: coverage.medianEvents,
    medianFaults: coverage.medianFaults,
    counts: coverage.counts,
    awaits: Object.fromEntries(coverage.awaits),
    notCovered: schedules.faults.filter((name) => (coverage.counts[name] ?? 0) === 0),
    seldomHit: seldomHit(coverage, schedules.faults),
    failing: failing?.seed ?? null,
  };
}

function headline({ schedules, outcomes }: Summary, { counts }: Coverage): string {
  const failing = outcomes.find(({ violations }) => violations.length > 0);
  const verdict =
    failing === undefined
      ? pc.green('every promise held')
      : pc.red(`seed ${failing.seed} broke a promise`);
  const events = outcomes.reduce((sum, one) => sum + one.events, 0);
  const { settings } = schedules.deployed;
  return `${pc.bold(schedules.pipeline)}: ${outcomes.length} schedules, ${text(events)} events, ${text(counts.invocation)} invocations (${mappingText(settings)}): ${verdict}`;
}

function mappingText({ batchSize, windowMs, parallelization, bisect }: MappingSettings): string {
  return `batches of ${batchSize}, window ${windowMs / 1000} s, parallelization ${parallelization}${bisect ? ', bisect' : ''}`;
}

function countLine(
  name: string,
  count: number | undefined,
  what: string,
  none = 'not covered',
): string {
  const shown = count === undefined ? pc.yellow(none.padStart(11)) : text(count).padStart(11);
  return `  ${name.padEnd(22)} ${shown}  ${pc.dim(what)}`;
}

/** How often each fault hit each await of the protocol. */
function awaitLines({ awaits }: Coverage): readonly string[] {
  const faults: readonly FaultName[] = [...REQUEST_FAULTS, ...LASTING_FAULTS];
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(32)}${cells.map((cell) => cell.padStart(11)).join('')}`;
  return [
    line('hits by await', faults),
    ...[...awaits].map(([step, row]) =>
      line(
        step,
        faults.map((fault) => (faultsAt(step).includes(fault) ? text(row[fault]) : '-')),
      ),
    ),
  ];
}

function seldomLine(coverage: Coverage, { faults }: Schedules): string {
  const seldom = seldomHit(coverage, faults);
  if (seldom.length === 0) {
    return `Each fault hit each await that it can at least ${HITS_ENOUGH} times.`;
  }
  const shown = seldom.slice(0, 8).join(', ');
  const more = seldom.length > 8 ? ` and ${seldom.length - 8} more` : '';
  return pc.yellow(`Hit less than ${HITS_ENOUGH} times: ${shown}${more}. More seeds hit them.`);
}

function text(count: number | undefined): string {
  return (count ?? 0).toLocaleString('en-US');
}
