import { MUTATORS } from './mutators.ts';
import {
  type Excuse,
  excuseOf,
  isAlive,
  percentOf,
  type Score,
  scoreOf,
  shareOf,
} from './score.ts';
import type { Outcome } from './try.ts';

/** What a report is made of. */
export interface Tried {
  readonly outcomes: readonly Outcome[];
  readonly excuses: readonly Excuse[];
  /** Mutants that there are, and those that were chosen. */
  readonly mutants: number;
  readonly chosen: number;
  readonly seed: number;
  /** Simulations of the battery by schedule. */
  readonly schedules: Readonly<Record<string, number>>;
  /** CPU milliseconds of the whole battery without a mutant. */
  readonly batteryMs: number;
  readonly commit: string;
  /** ISO 8601, to the day. */
  readonly date: string;
  readonly minutes: number;
}

/** The summary that is printed: one line a file, the worst first. */
export function summaryOf({ outcomes, excuses }: Tried): string {
  const rows = rowsOf(outcomes, excuses).map(([name, score]) => [name, ...cellsOf(score)]);
  return alignedOf([['file', ...HEADS], ...rows]);
}

/** The survivors that are not excused, each with place and change. */
export function survivorsOf({ outcomes, excuses }: Tried): string {
  return survivors(outcomes, excuses)
    .map(({ mutant, state }) => {
      const { file, line, mutator, from, to } = mutant;
      const reached = state === 'unreached' ? ', no simulation comes to it' : '';
      return `${file}:${line} (${mutator}${reached})\n${diffOf(from, to)}\n`;
    })
    .join('\n');
}

/** The whole report as Markdown. */
export function reportOf(tried: Tried): string {
  return [
    '# Mutation testing',
    '',
    'Made by `npm run mutants`; [SIMULATION.md](SIMULATION.md#mutants) says how it works and how to read it.',
    '',
    ...overviewOf(tried),
    '## By file',
    '',
    ...tableOf(
      ['file', ...HEADS],
      rowsOf(tried.outcomes, tried.excuses).map(([name, score]) => [name, ...cellsOf(score)]),
    ),
    '',
    '## By kind of change',
    '',
    ...tableOf(['kind', 'what', ...HEADS], kindsOf(tried)),
    '',
    ...sectionOf('Survivors', survivors(tried.outcomes, tried.excuses).map(lineOf)),
    ...sectionOf('Killed by scenes only', scenesOf(tried).map(lineOf)),
    ...sectionOf(
      'Excused',
      excused(tried).map(([outcome, { reason }]) => `${lineOf(outcome)}: ${reason}`),
    ),
  ].join('\n');
}

const HEADS = ['tried', 'killed', 'by scenes', 'by time-out', 'excused', 'survived', 'score'];

function cellsOf(score: Score): readonly string[] {
  const { tried, killed, scene, timeout, excused, survived } = score;
  const counts = [tried, killed, scene, timeout, excused, survived].map(String);
  return [...counts, `${percentOf(score).toFixed(1)} %`];
}

function rowsOf(
  outcomes: readonly Outcome[],
  excuses: readonly Excuse[],
): readonly (readonly [string, Score])[] {
  const files = Map.groupBy(outcomes, ({ mutant }) => mutant.file);
  const rows = [...files].map(([file, some]) => [file, scoreOf(some, excuses)] as const);
  rows.sort(([, left], [, right]) => percentOf(left) - percentOf(right));
  return [...rows, ['all', scoreOf(outcomes, excuses)]];
}

function kindsOf({ outcomes, excuses }: Tried): readonly (readonly string[])[] {
  const kinds = Map.groupBy(outcomes, ({ mutant }) => mutant.mutator);
  return Object.entries(MUTATORS).flatMap(([name, what]) => {
    const some = kinds.get(name as keyof typeof MUTATORS);
    return some === undefined ? [] : [[name, what, ...cellsOf(scoreOf(some, excuses))]];
  });
}

function overviewOf(tried: Tried): readonly string[] {
  const score = scoreOf(tried.outcomes, tried.excuses);
  const { commit, date, mutants, chosen, outcomes, seed, schedules, batteryMs, minutes } = tried;
  const { killed, scene, timeout, excused, survived } = score;
  const counted = outcomes.length - excused;
  const share = (part: number, whole: number) =>
    `${shareOf(part, whole).toFixed(1)} % (${part} of ${whole})`;
  const names = Object.entries(schedules).map(([name, seeds]) => `${name} ${seeds}`);
  return [
    `**${percentOf(score).toFixed(1)} %** of the mutants that count were killed.`,
    '',
    ...tableOf(
      ['', ''],
      [
        ['date, commit', `${date}, \`${commit}\``],
        ['mutants in all', String(mutants)],
        [
          'sample',
          `${chosen} at random (seed ${seed}), ${outcomes.length} of them tried in ${minutes.toFixed(0)} minutes`,
        ],
        ['killed, of all but the excused', share(killed, counted)],
        ['killed, of all', share(killed, outcomes.length)],
        ['killed by whole simulations, of all but the excused', share(killed - scene, counted)],
        ['killed by scenes only', String(scene)],
        ['killed because a run did not end', String(timeout)],
        ['excused, each with its reason below', String(excused)],
        ['survived', String(survived)],
        [
          'simulations a mutant, at most',
          `${names.join(', ')} seeds: ${(batteryMs / 1000).toFixed(1)} s of CPU`,
        ],
      ],
    ),
    '',
  ];
}

function survivors(outcomes: readonly Outcome[], excuses: readonly Excuse[]): readonly Outcome[] {
  return outcomes
    .filter((outcome) => isAlive(outcome) && excuseOf(outcome.mutant, excuses) === undefined)
    .sort((left, right) => left.mutant.id - right.mutant.id);
}

function excused({ outcomes, excuses }: Tried): readonly (readonly [Outcome, Excuse])[] {
  return outcomes
    .filter(isAlive)
    .sort((left, right) => left.mutant.id - right.mutant.id)
    .flatMap((outcome) => {
      const excuse = excuseOf(outcome.mutant, excuses);
      return excuse === undefined ? [] : [[outcome, excuse] as const];
    });
}

function scenesOf({ outcomes }: Tried): readonly Outcome[] {
  return outcomes
    .filter(({ byScene }) => byScene)
    .sort((left, right) => left.mutant.id - right.mutant.id);
}

function lineOf({ mutant, state }: Outcome): string {
  const { file, line, mutator, from, to } = mutant;
  const reached = state === 'unreached' ? ' (no simulation comes to it)' : '';
  return `- \`${file}:${line}\` ${mutator}${reached}: \`${shortOf(from)}\` → ${to === '' ? 'left out' : `\`${shortOf(to)}\``}`;
}

function sectionOf(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`## ${title}`, '', ...lines, ''];
}

const SHORT_MAX = 90;

/** One line of Markdown code. */
function shortOf(text: string): string {
  const line = text.replace(/\s+/g, ' ').replaceAll('`', "'");
  return line.length > SHORT_MAX ? `${line.slice(0, SHORT_MAX)}…` : line;
}

function diffOf(from: string, to: string): string {
  const lines = (sign: string, text: string) =>
    text.split('\n').map((line) => `  ${sign} ${line.trim()}`);
  return [...lines('-', from), ...(to === '' ? [] : lines('+', to))].join('\n');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

function alignedOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}
