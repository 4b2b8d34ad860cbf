import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import type { ReplaySettings } from '../core/contract.ts';
import { InvariantError } from '../core/errors.ts';
import { generationStackName } from '../core/generation.ts';
import type { VersionFacts } from '../core/shape.ts';
import { endpointVariables, runChild } from './child.ts';
import type { LocalClients } from './clients.ts';
import { CommandError, EXIT } from './local-error.ts';
import { localTemplate } from './local-template.ts';

/** What a deployment is made with. */
export interface DeployOptions {
  readonly pipeline: string;
  readonly endpoint: string;
  /** Where templates and logs go; made before. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** A generation's stack instead of the pipeline's own; those have to stand. */
  readonly generation?: GenerationChoice;
}

/** A generation that is to be rebuilt. */
export interface GenerationChoice {
  readonly number: number;
  readonly replay: ReplaySettings;
}

/** The outputs of a pipeline's stacks that a local run needs. */
export interface Deployment {
  readonly streamName: string;
  readonly eventsTable: string;
  readonly aggregatesTable: string;
  readonly ledgerTable: string;
  readonly quarantineTable: string;
  readonly quarantineBucket: string;
  readonly consumerName: string;
  readonly mappingId: string;
  /** What the compute stack says of the version of the pipeline; undefined where an older Millrace deployed it. */
  readonly version: VersionFacts | undefined;
  readonly alarmTopic: string;
  /** The function that replays into the first generation; undefined where there is no archive. */
  readonly replayerName: string | undefined;
  /** Function that brings refused events back; undefined in a deployment of before it was there. */
  readonly redriverName: string | undefined;
  /** Undefined where the pipeline has no archive. */
  readonly archive: ArchiveDeployment | undefined;
  /** Undefined where the pipeline closes no windows. */
  readonly closer: CloserDeployment | undefined;
}

/** The function that closes windows, and the bus that it publishes to. */
export interface CloserDeployment {
  readonly name: string;
  readonly busName: string;
}

/** The outputs of a pipeline's archive. */
export interface ArchiveDeployment {
  readonly bucket: string;
  readonly functionName: string;
  readonly mappingId: string;
}

/** Ending of a template as it was synthesised. */
const SYNTHESISED = '.synthesised.json';

/** The environment that is deployed locally. */
const ENVIRONMENT = 'dev';

/**
 * Synthesises the pipeline's stacks, with the changes that a local cloud needs. What was synthesised stands
 * beside it: alarms and dashboards are read from there.
 */
export async function synthesise(options: DeployOptions): Promise<void> {
  const output = templatesOf(options);
  rmSync(output, { recursive: true, force: true });
  const context = contextOf(options).flatMap((one) => ['-c', one]);
  const args = ['synth', '--quiet', ...context, '-o', output];
  await run(options, { what: 'The stacks could not be synthesised', command: 'cdk', args });
  for (const file of globSync('*.template.json', { cwd: output })) {
    const name = path.join(output, file);
    const template = readFileSync(name, 'utf8');
    writeFileSync(name.replace(/\.template\.json$/, SYNTHESISED), template);
    writeFileSync(name, localTemplate(template));
  }
}

/** What the app is asked for. */
function contextOf({ pipeline, generation }: DeployOptions): readonly string[] {
  if (generation === undefined) return [`pipeline=${pipeline}`];
  const { number, replay } = generation;
  return [`pipeline=${pipeline}`, `generation=${number}`, `replay=${JSON.stringify(replay)}`];
}

/**
 * Brings the account of the local cloud to where the CDK can deploy into it. It is given what was
 * synthesised: else it would synthesise every pipeline once more, and fail for a broken one.
 */
export async function bootstrapAccount(options: DeployOptions): Promise<void> {
  await run(options, {
    what: 'The local cloud could not be bootstrapped',
    command: 'cdklocal',
    args: ['bootstrap', 'aws://000000000000/us-east-1', '--app', templatesOf(options)],
  });
}

/** Deploys what was synthesised. */
export async function deploy(options: DeployOptions): Promise<void> {
  const { pipeline, generation } = options;
  const which =
    generation === undefined
      ? ['--all']
      : [generationStackName(pipeline, ENVIRONMENT, generation.number), '--exclusively'];
  const flags = [...which, '--require-approval', 'never', '--method', 'direct'];
  await run(options, {
    what: 'The stacks could not be deployed',
    command: 'cdklocal',
    args: ['deploy', ...flags, '--app', templatesOf(options)],
  });
}

/** Reads the outputs of a stack; undefined where there is no such stack. */
export async function stackOutputs(
  { cloudFormation }: Pick<LocalClients, 'cloudFormation'>,
  StackName: string,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
    const outputs = Stacks?.[0]?.Outputs;
    return (
      outputs &&
      new Map(outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
    );
  } catch (error) {
    if (error instanceof Error && /does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

/** Reads the outputs of the deployed stacks. */
export async function readDeployment(
  clients: Pick<LocalClients, 'cloudFormation'>,
  pipeline: string,
  environment: string = ENVIRONMENT,
): Promise<Deployment> {
  const outputs = new Map<string, string>();
  for (const stack of ['data', 'compute']) {
    const command = new DescribeStacksCommand({ StackName: `${pipeline}-${environment}-${stack}` });
    const { Stacks } = await clients.cloudFormation.send(command);
    for (const { OutputKey = '', OutputValue = '' } of Stacks?.[0]?.Outputs ?? []) {
      outputs.set(OutputKey, OutputValue);
    }
  }
  const output = (name: string) => {
    const value = outputs.get(name);
    if (value !== undefined) return value;
    throw new InvariantError(`${pipeline}: got no output ${name} of its stacks, expected one`);
  };
  return {
    streamName: output('StreamName'),
    eventsTable: output('EventsTable'),
    aggregatesTable: output('AggregatesTable'),
    ledgerTable: output('LedgerTable'),
    quarantineTable: output('QuarantineTable'),
    quarantineBucket: output('QuarantineBucket'),
    consumerName: output('ConsumerName'),
    mappingId: output('MappingId'),
    version: outputs.has('PipelineVersion') ? JSON.parse(output('PipelineVersion')) : undefined,
    alarmTopic: output('AlarmTopic'),
    replayerName: outputs.get('ReplayerName'),
    redriverName: outputs.get('RedriverName'),
    closer: outputs.has('CloserName')
      ? { name: output('CloserName'), busName: output('ClosedWindowsBus') }
      : undefined,
    archive: outputs.has('ArchiveBucket')
      ? {
          bucket: output('ArchiveBucket'),
          functionName: output('ArchiverName'),
          mappingId: output('ArchiveMappingId'),
        }
      : undefined,
  };
}

/** Where the compute stack's template of a synth is, as AWS would get it. */
export function computeTemplate(options: Pick<DeployOptions, 'directory' | 'pipeline'>): string {
  return path.join(templatesOf(options), `${computeStack(options.pipeline)}${SYNTHESISED}`);
}

/** The name of a pipeline's compute stack in a local cloud. */
export function computeStack(pipeline: string): string {
  return `${pipeline}-${ENVIRONMENT}-compute`;
}

/** The folder of a pipeline's synthesised templates. */
export function templatesOf({
  directory,
  pipeline,
  generation,
}: Pick<DeployOptions, 'directory' | 'pipeline' | 'generation'>): string {
  const end = generation === undefined ? '' : `-generation-${generation.number}`;
  return path.join(directory, `cdk.out-${pipeline}${end}`);
}

async function run(
  { endpoint, directory, signal }: DeployOptions,
  { what, command, args }: { what: string; command: string; args: readonly string[] },
): Promise<void> {
  const logFile = path.join(directory, `${command}-${args[0]}.log`);
  rmSync(logFile, { force: true });
  const env = endpointVariables(endpoint);
  const { code, output } = await runChild({ command, args, env, logFile }, signal);
  if (code === 0) return;
  throw new CommandError(what, {
    exitCode: command === 'cdk' ? EXIT.usage : EXIT.refused,
    detail: lastLines(output),
    next: `look at ${logFile}`,
  });
}

function lastLines(output: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal are control characters
  const plain = output.replace(/\u001b\[[\d;]*m/g, '');
  const lines = plain.split('\n').filter((line) => line.trim() !== '');
  const found = lines.findIndex((line) => /Error|error|failed/.test(line));
  return lines
    .slice(found < 0 ? -3 : found)
    .slice(0, 12)
    .join('\n');
}
