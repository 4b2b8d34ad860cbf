import path from 'node:path';
import { adoptLocalEnvironment } from './child.ts';
import { type LocalClients, makeClients } from './clients.ts';
import { keptEndpoint } from './emulator.ts';
import { checkEndpoint } from './endpoint.ts';
import { CommandError, EXIT } from './local-error.ts';
import { STATE } from './paths.ts';
import { type Deployment, readDeployment } from './stacks.ts';

/** Which deployment a command is about. */
export interface DeploymentChoice {
  readonly pipeline: string;
  /** `local` is the cloud that `npm start -- --keep` left running, or AWS_ENDPOINT_URL; others are on AWS. */
  readonly environment: string;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  /** AWS_ENDPOINT_URL, if it is set. */
  readonly endpoint: string | undefined;
}

/** A deployment that stands already. */
export interface OpenDeployment {
  readonly clients: LocalClients;
  readonly deployment: Deployment;
}

/**
 * Finds a deployment and reads its outputs.
 *
 * @throws CommandError when there is none, or it can't be reached
 */
export async function openDeployment(choice: DeploymentChoice): Promise<OpenDeployment> {
  const { pipeline, environment } = choice;
  if (environment === 'local') await adoptLocal(choice);
  else adoptAws(choice);
  const clients = makeClients();
  try {
    const stack = environment === 'local' ? 'dev' : environment;
    return { clients, deployment: await readDeployment(clients, pipeline, stack) };
  } catch (error) {
    throw new CommandError(`The stacks of ${pipeline} can't be read`, {
      exitCode: EXIT.refused,
      detail: error instanceof Error ? error.message : String(error),
      next:
        environment === 'local'
          ? `npm start -- --pipeline ${pipeline} --keep`
          : `npx cdk deploy --all -c pipeline=${pipeline} -c env=${environment}`,
      cause: error,
    });
  }
}

async function adoptLocal({ pipeline, endpoint }: DeploymentChoice): Promise<void> {
  const found =
    endpoint === undefined
      ? await keptEndpoint(path.join(STATE, 'local'))
      : checkEndpoint(endpoint, false);
  if (found === undefined) {
    throw new CommandError('No local cloud is running', {
      exitCode: EXIT.refused,
      detail: 'got --env local, expected the cloud that a run with --keep leaves running',
      next: `npm start -- --pipeline ${pipeline} --keep`,
    });
  }
  adoptLocalEnvironment(found);
}

function adoptAws({ region, profile }: DeploymentChoice): void {
  if (region !== undefined) process.env.AWS_REGION = region;
  if (profile !== undefined) process.env.AWS_PROFILE = profile;
}
