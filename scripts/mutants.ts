/**
 * Mutation testing: changes the handlers and the protocol in the core in one place at a time, and looks
 * whether the simulation notices. docs/SIMULATION.md says how to use it.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeSeededRandom } from '../src/adapters/memory/random.ts';
import type { Coverage } from './mutants/messages.ts';
import { findMutants, type Mutant } from './mutants/mutants.ts';
import { Progress } from './mutants/progress.ts';
import { reportOf, summaryOf, survivorsOf, type Tried } from './mutants/report.ts';
import { BATTERY, SCOPE } from './mutants/scope.ts';
import { type Excuse, percentOf, scoreOf, staleIn } from './mutants/score.ts';
import { tryMutants } from './mutants/try.ts';

const ROOT = path.join(import.meta.dirname, '..');
const EXCUSES = path.join(import.meta.dirname, 'mutants', 'excuses.json');
const REPORT = 'docs/MUTANTS.md';

const HELP = `npm run mutants -- [options]

  --files GLOB    only these files, such as 'src/core/*.ts'; more than once for more (default: all in scope)
  --sample N      so many mutants at random (default: all)
  --seed S        another sample (default 1)
  --minutes M     stop after M minutes; what was not tried is told
  --jobs J        worker threads, 1 to 16 (default 1)
  --report FILE   where the report goes (default ${REPORT}; with --files: none)
  --least P       exit with 1 when less than P percent are killed
`;

/** What the command line says. */
interface Arguments {
  readonly files: readonly string[] | undefined;
  readonly sample: number;
  readonly seed: number;
  readonly minutes: number;
  readonly jobs: number;
  readonly report: string | undefined;
  readonly least: number;
}

function argumentsOf(given: readonly string[]): Arguments | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...given],
    options: {
      files: { ...text, multiple: true },
      sample: text,
      seed: text,
      minutes: text,
      jobs: text,
      report: text,
      least: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return undefined;
  return {
    files: values.files,
    sample: numberOf('sample', values.sample, Number.POSITIVE_INFINITY),
    seed: numberOf('seed', values.seed, 1),
    minutes: numberOf('minutes', values.minutes, Number.POSITIVE_INFINITY),
    jobs: Math.min(16, numberOf('jobs', values.jobs, 1)),
    report: values.report ?? (values.files === undefined ? REPORT : undefined),
    least: numberOf('least', values.least, 0),
  };
}

function numberOf(name: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (value > 0 || value === otherwise) return value;
  throw new RangeError(`--${name}: got ${text}, expected a number above 0`);
}

/** Every mutant in an order that the seed draws; the first of them are the sample. */
function shuffled(mutants: readonly Mutant[], seed: number): readonly Mutant[] {
  const random = makeSeededRandom(seed);
  return mutants
    .map((mutant) => ({ mutant, at: random.next() }))
    .sort((left, right) => left.at - right.at)
    .map(({ mutant }) => mutant);
}

async function run(given: Arguments): Promise<number> {
  const startMs = Date.now();
  // Now: what is committed while it runs is not what is tried.
  const commit = commitOf();
  const files = findMutants(ROOT, given.files ?? SCOPE);
  const mutants = files.flatMap((file) => file.mutants);
  const chosen = shuffled(mutants, given.seed).slice(0, given.sample);
  const progress = new Progress(chosen.length, given.minutes * 60_000);
  let coverage: Coverage | undefined;
  const outcomes = await tryMutants({
    root: ROOT,
    battery: BATTERY,
    files,
    chosen,
    jobs: given.jobs,
    isOver: () => progress.isOver,
    onCovered: (found) => {
      coverage = found;
      progress.start(found);
    },
    onOutcome: (outcome) => progress.add(outcome),
  });
  progress.end();
  const excuses: readonly Excuse[] = JSON.parse(readFileSync(EXCUSES, 'utf8'));
  const runs = coverage?.runs ?? [];
  const tried: Tried = {
    outcomes,
    excuses,
    mutants: mutants.length,
    chosen: chosen.length,
    seed: given.seed,
    schedules: Object.fromEntries(
      [...Map.groupBy(runs, ({ schedule }) => schedule)].map(([name, some]) => [name, some.length]),
    ),
    batteryMs: runs.reduce((sum, { ms }) => sum + ms, 0),
    commit,
    date: new Date(startMs).toISOString().slice(0, 10),
    minutes: (Date.now() - startMs) / 60_000,
  };
  tell(tried, given, mutants);
  return percentOf(scoreOf(outcomes, excuses)) < given.least ? 1 : 0;
}

function tell(tried: Tried, given: Arguments, mutants: readonly Mutant[]): void {
  console.log(`\n${survivorsOf(tried)}\n${summaryOf(tried)}`);
  const stale = given.files === undefined ? staleIn(tried.excuses, mutants) : [];
  for (const { file, place } of stale) {
    console.log(`excuse of no mutant, to be looked at again: ${file}: ${place}`);
  }
  if (given.report !== undefined) writeFileSync(path.resolve(ROOT, given.report), reportOf(tried));
}

/** The commit, and the tree of the sources: a commit that is moved to another place keeps it. */
function commitOf(): string {
  const git = (...words: string[]) =>
    execFileSync('git', words, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', 'src', 'test') === '' ? '' : ' and changes';
  const [commit, sources] = ['HEAD', 'HEAD:src'].map((name) => git('rev-parse', '--short', name));
  return `${commit} (src: ${sources})${changed}`;
}

const given = argumentsOf(process.argv.slice(2));
if (given === undefined) console.log(HELP);
else process.exitCode = await run(given);
