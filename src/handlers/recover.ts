import { FAILURE_PREFIX } from '../core/contract.ts';
import { FIRST_GENERATION } from '../core/generation.ts';
import type { Program } from '../core/program.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { MappingSwitch } from '../ports/mapping-switch.ts';
import { liveGeneration, swapGeneration } from './live-generation.ts';
import type { Invocation, ReplayPorts } from './ports.ts';
import { makeReplay, type ReplayRequest } from './replay.ts';
import { emptyReplayReport, type ReplayReport } from './replay-report.ts';
import { retryCall } from './retry.ts';

/**
 * What becomes of results after the event source mapping gave up a batch: some of its cells may be written
 * and some not, so they can't be made right in place. A generation that stands by is rebuilt from the
 * archive, which has the batch's records, goes on with the stream, and becomes the live one.
 *
 * Invariant: the generation becomes live only when it is complete and its mapping is on. Each step can be
 * done again, by any run, and in no other order.
 */

/** What recovering needs of the world. */
export interface RecoverPorts extends ReplayPorts {
  /** Where the mapping puts what it gives up. */
  readonly failures: Bucket;
  /** The mapping of the generation that stands by. */
  readonly mapping: MappingSwitch;
}

/** What is recovered, and into what. */
export interface RecoverOptions {
  /** Of the live consumer: the objects of what it gave up are named by it. */
  readonly mappingId: string;
  /** The generation that stands by. */
  readonly generation: string;
  /** How much one run rebuilds; default: as much as the invocation's time allows. */
  readonly request?: ReplayRequest;
}

/**
 * `watching`: nothing was given up. `rebuilding`: it is rebuilt, run after run. `live`: it is the live one.
 * `elsewhere`: another generation was made the live one, by hand; nothing is done.
 */
export type RecoverState = 'watching' | 'rebuilding' | 'live' | 'elsewhere';

/** What one run did. */
export interface RecoverReport {
  readonly state: RecoverState;
  /** Batches that were given up, as far as they are counted: 1,000 at most. */
  readonly givenUp: number;
  /** Of the rebuilding. */
  readonly replay: ReplayReport;
}

/** Looks whether something was given up, and goes on with what follows from it. */
export type Recover = (invocation: Invocation) => Promise<RecoverReport>;

/** Longest that one run rebuilds, seconds; the invocation's time bounds it too. */
const REPLAY_SECONDS = 900;

/** Makes the function that recovers, to be run on a schedule. @throws what trying again doesn't heal */
export function makeRecover(
  ports: RecoverPorts,
  program: Program,
  { mappingId, generation, request = { seconds: REPLAY_SECONDS } }: RecoverOptions,
): Recover {
  const replay = makeReplay(ports, program, { name: 'generation', fromMs: 0 });
  return async (invocation) => {
    const { clock, random } = ports;
    const context = { clock, random, deadlineMs: invocation.deadlineMs - 500 };
    const nothing = { givenUp: 0, replay: emptyReplayReport() };
    const { live, before } = await liveGeneration(ports.source, context);
    if (live === generation) return { state: 'live', ...nothing };
    // Somebody swapped to another one, or back.
    const isSwapped = live !== FIRST_GENERATION || before === generation;
    if (isSwapped) return { state: 'elsewhere', ...nothing };
    const prefix = `${FAILURE_PREFIX}${mappingId}/`;
    const page = await retryCall(context, () => ports.failures.list({ prefix }, context));
    const givenUp = page.keys.length;
    if (givenUp === 0) return { state: 'watching', ...nothing };
    const report = await replay(request, invocation);
    if (report.state !== 'complete') return { state: 'rebuilding', givenUp, replay: report };
    await retryCall(context, () => ports.mapping.enable(context));
    const now = await swapGeneration(ports.source, generation, context);
    const state = now.live === generation ? 'live' : 'elsewhere';
    return { state, givenUp, replay: report };
  };
}
