import { checkVersion, type StoredItem, textIn } from './item.ts';
import type { Program } from './program.ts';

/**
 * Generations: what a pipeline's results are, each time they are built from the beginning. The first one is
 * what its data stack holds; each other one has tables of its own, and within them the same keys.
 */

/** The generation of a pipeline's data stack. */
export const FIRST_GENERATION = '1';

/** Which generation readers look at. Stands in the ledger table of the data stack. */
export interface LiveGeneration {
  /** Such as `2`. */
  readonly live: string;
  /** The one that was live before; itself where none was. */
  readonly before: string;
}

/** What is so before anybody swaps. */
export const FIRST_LIVE: LiveGeneration = { live: FIRST_GENERATION, before: FIRST_GENERATION };

/** Key of the item that says which generation is live. */
export const LIVE_KEY = { pk: 'generation', sk: 'live' } as const;

/** The attribute that a swap is conditional on. */
export const LIVE_ATTRIBUTE = 'g';

/** The item of the live generation. Attributes: g the live one, b the one before. It never expires. */
export function encodeLive({ live, before }: LiveGeneration): StoredItem {
  return { ...LIVE_KEY, v: 1, [LIVE_ATTRIBUTE]: live, b: before };
}

/** What the item says, or that the first generation is live where there is none. */
export function decodeLive(item: StoredItem | undefined): LiveGeneration {
  if (item === undefined) return FIRST_LIVE;
  checkVersion(item, 1);
  return { live: textIn(item, LIVE_ATTRIBUTE), before: textIn(item, 'b') };
}

/**
 * The program as a generation runs it: the others feed no pipeline. What they would send was sent, and the
 * pipelines that were fed don't remember it for as long as an archive reaches back.
 */
export function programOf(program: Program, generation: string): Program {
  return generation === FIRST_GENERATION ? program : { ...program, outputs: [] };
}

/** The name of a generation's stack, such as `flights-dev-generation-2`. */
export function generationStackName(
  pipeline: string,
  environment: string,
  generation: number | string,
): string {
  return `${pipeline}-${environment}-generation-${generation}`;
}

/** What stands for a pipeline's name in the keys of quarantine objects. */
export function quarantineFolder(pipeline: string, generation: string): string {
  return generation === FIRST_GENERATION ? pipeline : `${pipeline}.generation-${generation}`;
}
