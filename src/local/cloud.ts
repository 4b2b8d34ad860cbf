import { mkdirSync } from 'node:fs';
import { adoptLocalEnvironment } from './child.ts';
import { type LocalClients, makeClients } from './clients.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { checkAnswers, checkEndpoint } from './endpoint.ts';
import { checkKeptVersions } from './kept-versions.ts';
import {
  bootstrapAccount,
  type Deployment,
  type DeployOptions,
  deploy,
  readDeployment,
  synthesise,
  templatesOf,
} from './stacks.ts';
import type { RunView } from './view.ts';

/** What a local cloud is brought up with. */
export interface CloudOptions {
  readonly pipeline: string;
  /** An endpoint that runs already; undefined starts the emulator. */
  readonly endpoint: string | undefined;
  /** The endpoint may be on another machine. */
  readonly remote: boolean;
  /** Leave the emulator running at the end, and take over one that was left; interrupted, it stops. */
  readonly keep: boolean;
  /** For everything that the run leaves behind. */
  readonly directory: string;
}

/** A local cloud with a pipeline's stacks. */
export interface Cloud {
  readonly endpoint: string;
  readonly clients: LocalClients;
  readonly deployment: Deployment;
  /** Stops what was started here. */
  close(): Promise<void>;
}

/**
 * Brings up a local cloud and deploys a pipeline's stacks into it.
 *
 * @throws CommandError when the endpoint is refused, something is missing, or a step fails
 */
export async function openCloud(
  options: CloudOptions,
  view: RunView,
  signal: AbortSignal,
): Promise<Cloud> {
  const { pipeline, directory, keep } = options;
  const given =
    options.endpoint === undefined ? undefined : checkEndpoint(options.endpoint, options.remote);
  if (given !== undefined) await checkAnswers(given, signal);
  mkdirSync(directory, { recursive: true });
  let emulator: Emulator | undefined;
  let endpoint = given ?? '';
  const settings = () => ({ pipeline, endpoint, directory, signal });
  const start = {
    title: 'start the local cloud (MiniStack)',
    run: async () => {
      emulator = await startEmulator({ directory, signal, keep });
      endpoint = emulator.endpoint;
    },
  };
  try {
    await view.steps([
      ...(given === undefined ? [start] : []),
      { title: `synthesise the stacks of ${pipeline}`, run: () => synthesise(settings()) },
      { title: 'bootstrap', run: () => bootstrapAccount(settings()) },
      { title: 'deploy', run: () => deployChecked(settings()) },
    ]);
    adoptLocalEnvironment(endpoint);
    const clients = makeClients();
    const deployment = await readDeployment(clients, pipeline);
    const close = async () => {
      if (!keep || signal.aborted) await stopOwn(emulator);
    };
    return { endpoint, clients, deployment, close };
  } catch (error) {
    await stopOwn(emulator);
    throw error;
  }
}

async function deployChecked(options: DeployOptions): Promise<void> {
  adoptLocalEnvironment(options.endpoint);
  await checkKeptVersions(makeClients().cloudFormation, templatesOf(options));
  await deploy(options);
}

/** Ends what this run started; what an earlier one left running stays. */
async function stopOwn(emulator: Emulator | undefined): Promise<void> {
  if (emulator?.taken === false) await emulator.stop();
}
