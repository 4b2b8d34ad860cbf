import { systemClock } from '../adapters/aws/clock.ts';
import { systemRandom } from '../adapters/aws/random.ts';
import { makeAwsTable } from '../adapters/aws/table.ts';
import { FIRST_GENERATION, quarantineFolder } from '../core/generation.ts';
import { liveGeneration } from '../handlers/live-generation.ts';
import { type DeploymentChoice, type OpenDeployment, openDeployment } from './deployed.ts';
import { findGeneration } from './generations.ts';
import { CommandError, EXIT } from './local-error.ts';

/** A deployment, with the tables and functions of the generation that readers look at. */
export interface LiveDeployment extends OpenDeployment {
  /** Such as `1`. */
  readonly generation: string;
  /** What stands for the pipeline in the names of quarantine objects. */
  readonly quarantineFolder: string;
}

/** Longest that the ledger is asked which generation is live, milliseconds. */
const ASK_MS = 30_000;

/** @throws CommandError when there is no such deployment, it can't be reached, or its live generation is gone */
export async function openLive(choice: DeploymentChoice): Promise<LiveDeployment> {
  const open = await openDeployment(choice);
  const { pipeline } = choice;
  const ledger = makeAwsTable({
    client: open.clients.dynamoDb,
    tableName: open.deployment.ledgerTable,
    clock: systemClock,
  });
  const deadlineMs = systemClock.now() + ASK_MS;
  const context = { clock: systemClock, random: systemRandom, deadlineMs };
  const { live } = await liveGeneration(ledger, context);
  const named = { generation: live, quarantineFolder: quarantineFolder(pipeline, live) };
  if (live === FIRST_GENERATION) return { ...open, ...named };
  const environment = choice.environment === 'local' ? 'dev' : choice.environment;
  const found = await findGeneration({ ...open, pipeline, environment }, live);
  if (found === undefined) {
    throw new CommandError(`Generation ${live} of ${pipeline} is live, and can't be found`, {
      exitCode: EXIT.refused,
      detail: `got no stack of it, expected one in ${environment}`,
      next: 'docs/REPLAY.md: swap back to a generation that stands',
    });
  }
  const { ledgerTable, quarantineTable, redriverName } = found;
  const deployment = { ...open.deployment, ledgerTable, quarantineTable, redriverName };
  return { ...open, ...named, deployment };
}
