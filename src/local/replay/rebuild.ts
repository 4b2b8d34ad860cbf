import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../adapters/aws/clock.ts';
import { systemRandom } from '../../adapters/aws/random.ts';
import type { LiveGeneration } from '../../core/generation.ts';
import { generationStackName } from '../../core/generation.ts';
import { swapGeneration } from '../../handlers/live-generation.ts';
import { readMapping } from '../deployed-mapping.ts';
import { type DeployedGeneration, findGeneration } from '../generations.ts';
import { CommandError, EXIT } from '../local-error.ts';
import { STATE } from '../paths.ts';
import { deploy, type GenerationChoice, synthesise } from '../stacks.ts';
import { startDriver } from '../start-driver.ts';
import { readStream } from '../stream-records.ts';
import { StuckWatch } from '../stuck-watch.ts';
import type { OpenReplay } from './open.ts';
import { tableOf } from './open.ts';
import { startMapping } from './run.ts';

const POLL_MS = 200;
const SWAP_MS = 30_000;

/** A generation's deployment; in the local cloud it is deployed if need be. @throws CommandError */
export async function deployedGeneration(
  open: OpenReplay,
  choice: GenerationChoice,
  signal: AbortSignal,
): Promise<DeployedGeneration> {
  const of = { ...open, environment: open.stackEnvironment };
  const standing = await findGeneration(of, String(choice.number));
  if (standing !== undefined) return sameRange(standing, choice, open);
  if (open.environment !== 'local') throw notDeployed(open, choice);
  const directory = path.join(STATE, 'local');
  mkdirSync(directory, { recursive: true });
  const endpoint = process.env.AWS_ENDPOINT_URL ?? '';
  const options = { pipeline: open.pipeline, endpoint, directory, signal, generation: choice };
  await synthesise(options);
  await deploy(options);
  const made = await findGeneration(of, String(choice.number));
  if (made === undefined) throw notDeployed(open, choice);
  return made;
}

/** One generation is of one range: what it holds would be of two else. */
function sameRange(
  standing: DeployedGeneration,
  { number, replay }: GenerationChoice,
  { pipeline }: OpenReplay,
): DeployedGeneration {
  const [is, asked] = [standing.replay, replay].map((one) => JSON.stringify(one));
  if (is === asked) return standing;
  throw new CommandError(`Generation ${number} stands already, for other records`, {
    exitCode: EXIT.usage,
    detail: `got ${asked}, expected what it was begun with, ${is}`,
    next: `npx millrace replay --pipeline ${pipeline} --generation ${number + 1}, or without a range to go on with ${number}`,
  });
}

function notDeployed(open: OpenReplay, { number, replay }: GenerationChoice): CommandError {
  const { pipeline, environment } = open;
  const stack = generationStackName(pipeline, environment, number);
  return new CommandError(`The stack of generation ${number} is not deployed`, {
    exitCode: EXIT.missing,
    detail: `got no stack ${stack}, expected it; it changes nothing of what runs`,
    next: `npx cdk deploy ${stack} --exclusively -c pipeline=${pipeline} -c env=${environment} -c generation=${number} -c replay='${JSON.stringify(replay)}'`,
  });
}

/**
 * Lets a generation that is through go on with the stream: its mapping is switched on. Local clouds have none
 * that could be relied on; there, what the stream holds by now is delivered.
 */
export async function goOn(
  open: OpenReplay,
  generation: DeployedGeneration,
  signal: AbortSignal,
): Promise<void> {
  if (open.environment === 'local') await deliverAll(open, generation, signal);
  else await startMapping(open.clients, generation);
}

async function deliverAll(
  open: OpenReplay,
  { consumer }: DeployedGeneration,
  signal: AbortSignal,
): Promise<void> {
  if (consumer === undefined) return;
  const { clients, streamArn } = open;
  const stop = new AbortController();
  try {
    const driver = await startDriver(open, {
      mapping: await readMapping(clients.lambda, consumer.mappingId),
      checkpoints: {},
      signal: AbortSignal.any([signal, stop.signal]),
    });
    const records = await readStream(clients.kinesis, streamArn);
    const last = new Map(records.map(({ shard, sequence }) => [shard, sequence]));
    const stuck = new StuckWatch();
    while (![...last].every(([shard, sequence]) => driver.isFinishedUpTo(shard, sequence))) {
      stuck.check(driver.progress(), false);
      await delay(POLL_MS, undefined, { signal });
    }
  } finally {
    stop.abort();
  }
}

/** Makes a generation the live one. @throws CommandError when somebody else swapped meanwhile */
export async function swapTo(open: OpenReplay, name: string): Promise<LiveGeneration> {
  const ledger = tableOf(open, open.deployment.ledgerTable);
  const deadlineMs = Date.now() + SWAP_MS;
  const live = await swapGeneration(ledger, name, {
    clock: systemClock,
    random: systemRandom,
    deadlineMs,
  });
  if (live.live === name) return live;
  throw new CommandError('Another swap came between', {
    exitCode: EXIT.no,
    detail: `got generation ${live.live} as the live one, expected ${live.before} or ${name}`,
    next: `npx millrace replay --pipeline ${open.pipeline} --swap ${name}`,
  });
}
