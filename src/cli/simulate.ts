import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Command, Option } from 'commander';
import pc from 'picocolors';
import { CommandError, EXIT } from '../local/local-error.ts';
import { ROOT, STATE } from '../local/paths.ts';
import { loadSimulation, type SimulationSource } from '../local/simulation.ts';
import { discoverPipelines } from '../project/discover.ts';
import { FAULT_NAMES, type FaultName, onlyFaults } from '../sim/faults.ts';
import { timelineHtml } from '../sim/picture.ts';
import type { SimOptions, SimResult } from '../sim/schedule.ts';
import { shrink } from '../sim/shrink.ts';
import { simulate } from '../sim/simulate.ts';
import { timelineText } from '../sim/timeline.ts';
import { integer } from './arguments.ts';
import type { CommandContext } from './context.ts';

interface SimulateFlags {
  readonly seeds: number;
  readonly seed?: number;
  readonly faults: string;
  readonly minutes?: number;
  readonly events: number;
  readonly json: boolean;
}

/** What a command line adds up to over its seeds. */
interface Tally {
  readonly seeds: number;
  readonly events: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Faults by the kind of request that they hit. */
  readonly hits: Readonly<Record<string, number>>;
  readonly failing: SimOptions | undefined;
}

/** How long faults go on in a simulation, milliseconds. */
const FAULTS_FOR_MS = 180_000;

/** What faults are counted as, where that is not their own name. */
const COUNTED_AS: Readonly<Partial<Record<FaultName, readonly string[]>>> = {
  throttle: ['throttled invocation'],
  coldStart: ['cold start'],
  loseCheckpoint: ['lost checkpoint'],
  sendTwice: ['event sent twice'],
  reshard: ['split', 'merge'],
};

/** `millrace simulate`: the pipeline under seeded faults. */
export function addSimulate(program: Command, context: CommandContext): void {
  const names = discoverPipelines(ROOT);
  program
    .command('simulate')
    .description('run a pipeline in virtual time under seeded faults, and check every promise')
    .argument('[pipeline]', `folder of pipelines/: ${names.join(', ')}`, 'flights')
    .option('--seeds <count>', 'how many schedules', integer(1, 1_000_000), 100)
    .option('--seed <number>', 'only this one, with its timeline', integer(0, 2 ** 32 - 1))
    .addOption(
      new Option('--faults <list>', `all, none, or some of: ${FAULT_NAMES.join(', ')}`).default(
        'all',
      ),
    )
    .option('--minutes <count>', 'go on for so long instead', integer(1, 10_000))
    .option('--events <count>', 'events in a schedule', integer(1, 100_000), 100)
    .option('--json', 'print one JSON object instead', false)
    .action(async (pipeline: string, flags: SimulateFlags) => {
      context.exitCode = await run(pipeline, flags, context);
    });
}

async function run(
  pipeline: string,
  flags: SimulateFlags,
  context: CommandContext,
): Promise<number> {
  const faults = onlyFaults(faultsIn(flags.faults));
  const source = await loadSimulation(pipeline, flags.events, context.signal);
  const optionsOf = (seed: number): SimOptions => ({
    seed,
    startMs: source.startMs,
    pipeline: source.folder.pipeline,
    program: () => source.program,
    events: source.events(seed),
    settings: source.settings,
    timeoutMs: source.timeoutMs,
    faults,
    faultsForMs: FAULTS_FOR_MS,
  });
  if (flags.seed !== undefined) return showOne(pipeline, optionsOf(flags.seed), context);
  const tally = await runSeeds(flags, optionsOf, context);
  if (flags.json) context.print(JSON.stringify(summaryObject(pipeline, tally)));
  else context.print(summary(source, tally, faultsIn(flags.faults)));
  if (tally.failing === undefined) return EXIT.done;
  await explain(pipeline, tally.failing, flags, context);
  return EXIT.no;
}

async function runSeeds(
  flags: SimulateFlags,
  optionsOf: (seed: number) => SimOptions,
  { signal, complain }: CommandContext,
): Promise<Tally> {
  const endMs =
    flags.minutes === undefined ? undefined : performance.now() + flags.minutes * 60_000;
  const counts: Record<string, number> = {};
  const hits: Record<string, number> = {};
  let seed = 0;
  let events = 0;
  let shownMs = performance.now();
  while (endMs === undefined ? seed < flags.seeds : performance.now() < endMs) {
    signal.throwIfAborted();
    seed += 1;
    const options = optionsOf(seed);
    const result = await simulate(options);
    events += options.events.length;
    addTo(counts, result.counts);
    addTo(hits, result.hits);
    if (result.violations.length > 0) {
      return { seeds: seed, events, counts, hits, failing: options };
    }
    if (performance.now() - shownMs < 2_000 || flags.json) continue;
    shownMs = performance.now();
    complain(`${seed} schedules, every promise held so far`);
  }
  return { seeds: seed, events, counts, hits, failing: undefined };
}

function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

/** Faults of single requests, and which kind of request each hit how often. */
const ON_REQUESTS: readonly FaultName[] = ['crash', 'refuse', 'loseAnswer', 'applyLate', 'slow'];

function hitTable(hits: Tally['hits']): readonly string[] {
  const requests = [...new Set(Object.keys(hits).map((name) => name.split(' ')[0] ?? ''))].sort();
  const line = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(26)}${cells.map((cell) => cell.padStart(11)).join('')}`;
  return [
    line('by request', ON_REQUESTS),
    ...requests.map((request) =>
      line(
        request,
        ON_REQUESTS.map((fault) => (hits[`${request} ${fault}`] ?? 0).toLocaleString('en-US')),
      ),
    ),
  ];
}

function summary(source: SimulationSource, tally: Tally, faults: readonly FaultName[]): string {
  const counted = faults.flatMap((name) => COUNTED_AS[name] ?? [name]);
  const lines = counted.map((name) => {
    const count = tally.counts[name] ?? 0;
    const text = count === 0 ? pc.yellow('not covered') : count.toLocaleString('en-US');
    return `  ${name.padEnd(22)} ${text}`;
  });
  const { batchSize, windowMs, parallelization, bisect } = source.settings;
  const verdict =
    tally.failing === undefined
      ? pc.green('every promise held')
      : pc.red(`seed ${tally.failing.seed} broke a promise`);
  return [
    `${pc.bold(source.folder.name)}: ${tally.seeds} schedules, ${tally.events.toLocaleString('en-US')} events, ${(tally.counts.invocation ?? 0).toLocaleString('en-US')} invocations (batches of ${batchSize}, window ${windowMs / 1000} s, parallelization ${parallelization}${bisect ? ', bisect' : ''}): ${verdict}`,
    ...lines,
    '',
    ...hitTable(tally.hits),
  ].join('\n');
}

function summaryObject(pipeline: string, tally: Tally): object {
  const { seeds, events, counts, hits, failing } = tally;
  return { pipeline, seeds, events, counts, hits, failing: failing?.seed ?? null };
}

async function explain(
  pipeline: string,
  failing: SimOptions,
  flags: SimulateFlags,
  { print }: CommandContext,
): Promise<void> {
  const { result, options } = await shrink({ ...failing, keepTrace: true });
  const left = Object.entries(options.faults).filter(([, rate]) => rate > 0);
  print(
    `\nThe shortest schedule that still fails: ${options.events.length} events, faults ${left.map(([name]) => name).join(', ') || 'none'}`,
  );
  print(result.violations.map((violation) => `  ${violation}`).join('\n'));
  print(timelineText(result));
  print(`picture: ${writePicture(pipeline, result)}`);
  print(
    `replay:  npx millrace simulate ${pipeline} --seed ${failing.seed} --events ${flags.events} --faults ${flags.faults}`,
  );
}

async function showOne(
  pipeline: string,
  options: SimOptions,
  { print }: CommandContext,
): Promise<number> {
  const result = await simulate({ ...options, keepTrace: true });
  print(timelineText(result));
  print(`picture: ${writePicture(pipeline, result)}`);
  print(
    `seed ${options.seed}, trace ${result.hash}: ${result.violations.length === 0 ? 'every promise held' : 'broken'}`,
  );
  for (const violation of result.violations) print(`  ${violation}`);
  return result.violations.length === 0 ? EXIT.done : EXIT.no;
}

function writePicture(pipeline: string, result: SimResult): string {
  const directory = path.join(STATE, 'simulate');
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${pipeline}-${result.seed}.html`);
  writeFileSync(file, timelineHtml(`${pipeline}, seed ${result.seed}`, result));
  return path.relative(process.cwd(), file);
}

function faultsIn(list: string): readonly FaultName[] {
  if (list === 'all') return FAULT_NAMES;
  if (list === 'none') return [];
  return list.split(',').map((text) => {
    const name = FAULT_NAMES.find((one) => one === text.trim());
    if (name !== undefined) return name;
    throw new CommandError('A fault of that name is not known', {
      exitCode: EXIT.usage,
      detail: `got '${text}', expected all, none, or some of ${FAULT_NAMES.join(', ')}`,
      next: 'npx millrace simulate --help',
    });
  });
}
