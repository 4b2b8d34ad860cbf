import type { Output, Program } from '../../src/core/program.ts';
import { UnsafeSettingsError } from './rules.ts';

/** One output with the pipeline that it feeds. */
interface Link {
  readonly from: Program;
  readonly output: Output;
  /** Undefined where there is no such pipeline. */
  readonly to: Program | undefined;
  /** The way from the fed pipeline back to the feeding one, if there is one. */
  readonly back: readonly string[] | undefined;
}

interface StageRule {
  readonly rule: string;
  /** What was got, or undefined when all is well. */
  readonly check: (link: Link) => string | undefined;
  readonly fix: string;
}

/** What must hold between a pipeline and one that it feeds: docs/adr/0011. */
export const STAGE_RULES: readonly StageRule[] = [
  {
    rule: 'an output feeds a pipeline that there is',
    check: ({ to }) => (to === undefined ? 'none of this name' : undefined),
    fix: 'name a folder of pipelines/, and load it together with the one that feeds it',
  },
  {
    rule: 'pipelines do not feed each other in a circle',
    check: ({ back }) => (back === undefined ? undefined : `the circle ${back.join(' → ')}`),
    fix: 'take one of these outputs away: what goes round never ends',
  },
  {
    rule: 'a pipeline that is fed names the one that feeds it',
    check: ({ from, to }) =>
      to === undefined || to.settings.fedBy.includes(from.name)
        ? undefined
        : `fedBy [${to.settings.fedBy.join(', ')}]`,
    fix: 'add the feeding one to its fedBy: it believes the origin of nobody else’s events, and remembers ids as long as copies can come only then',
  },
  {
    rule: 'a pipeline that is fed keeps its stream as long as the one that feeds it',
    check: ({ from, to }) => {
      const [own, fed] = [from.settings.retention.streamMs, to?.settings.retention.streamMs];
      return fed !== undefined && fed < own ? `${hours(fed)} after ${hours(own)}` : undefined;
    },
    fix: 'lengthen retention.stream of the fed one, or shorten it of the feeding one: ids are remembered for twice as long as the fed stream, and copies of an event can come as long as it is in the feeding one',
  },
];

/** @throws UnsafeSettingsError naming each broken rule, the output, what was got and the fix */
export function checkStages(programs: readonly Program[]): void {
  const broken = linksOf(programs).flatMap((link) =>
    STAGE_RULES.flatMap(({ rule, check, fix }) => {
      const got = check(link);
      const { from, output } = link;
      const where = `${from.name}.outputs.${output.name} to '${output.to}'`;
      return got === undefined ? [] : [{ rule, got: `${got} (${where})`, fix }];
    }),
  );
  if (broken.length > 0) throw new UnsafeSettingsError(broken);
}

function linksOf(programs: readonly Program[]): readonly Link[] {
  const byName = new Map(programs.map((program) => [program.name, program]));
  return programs.flatMap((from) =>
    from.outputs.map((output) => ({
      from,
      output,
      to: byName.get(output.to),
      back: wayBack(byName, from.name, [from.name, output.to]),
    })),
  );
}

/** A way on from the end of a path to where it began. */
function wayBack(
  programs: ReadonlyMap<string, Program>,
  start: string,
  path: readonly string[],
): readonly string[] | undefined {
  const last = path.at(-1) ?? start;
  if (last === start) return path;
  for (const { to } of programs.get(last)?.outputs ?? []) {
    if (path.slice(1).includes(to)) continue;
    const found = wayBack(programs, start, [...path, to]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function hours(ms: number): string {
  return `${ms / 3_600_000} hours`;
}
