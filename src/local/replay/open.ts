import { makeAwsBucket } from '../../adapters/aws/bucket.ts';
import { systemClock } from '../../adapters/aws/clock.ts';
import { systemRandom } from '../../adapters/aws/random.ts';
import { makeAwsShards } from '../../adapters/aws/shards.ts';
import { makeAwsStream } from '../../adapters/aws/stream.ts';
import { makeAwsTable } from '../../adapters/aws/table.ts';
import { compile } from '../../core/compile.ts';
import { FIRST_GENERATION } from '../../core/generation.ts';
import type { Program } from '../../core/program.ts';
import type { ReplayPorts } from '../../handlers/ports.ts';
import type { Table } from '../../ports/table.ts';
import { codePrintOf } from '../../project/code-print.ts';
import { loadPipeline } from '../../project/discover.ts';
import { type DeploymentChoice, type OpenDeployment, openDeployment } from '../deployed.ts';
import { readMapping } from '../deployed-mapping.ts';
import { type DeployedGeneration, findGeneration } from '../generations.ts';
import { CommandError, EXIT } from '../local-error.ts';
import { ROOT } from '../paths.ts';
import type { Replayer } from './ask.ts';

/** A deployment with an archive, and the pipeline as it is in this checkout. */
export interface OpenReplay extends OpenDeployment {
  readonly pipeline: string;
  /** As the user named it: `local`, or an environment on AWS. */
  readonly environment: string;
  /** As it is in the names of stacks. */
  readonly stackEnvironment: string;
  readonly program: Program;
  /** The first generation. */
  readonly first: DeployedGeneration;
  readonly streamArn: string;
}

/** @throws CommandError when there is no such deployment, or it has no archive */
export async function openReplay(choice: DeploymentChoice): Promise<OpenReplay> {
  const { pipeline, environment } = choice;
  const folder = await loadPipeline(ROOT, pipeline);
  const open = await openDeployment(choice);
  const stackEnvironment = environment === 'local' ? 'dev' : environment;
  const of = { ...open, pipeline, environment: stackEnvironment };
  const first = await findGeneration(of, FIRST_GENERATION);
  if (first === undefined) {
    throw new CommandError('There is no archive to replay', {
      exitCode: EXIT.missing,
      detail: `got a deployment of ${pipeline} without an archive, expected retention.archive in the pipeline and archive in the environment`,
      next: 'deploy it with an archive; what arrived before can’t be replayed',
    });
  }
  const { streamArn } = await readMapping(open.clients.lambda, open.deployment.mappingId);
  const program = compile(folder.pipeline, folder.references, {
    codePrint: codePrintOf(folder.file),
    makeDecoder: folder.decoder.make,
  });
  return { ...open, pipeline, environment, stackEnvironment, program, first, streamArn };
}

/** The function of a generation that is asked. */
export function replayerOf(
  { clients }: OpenReplay,
  { replayerName }: DeployedGeneration,
): Replayer {
  return { lambda: clients.lambda, name: replayerName };
}

/** A table of the deployment. */
export function tableOf({ clients }: OpenReplay, tableName: string): Table {
  return makeAwsTable({ client: clients.dynamoDb, tableName, clock: systemClock });
}

/** What is needed to read the archive, and its tails, from here. */
export function archivePorts(
  open: OpenReplay,
): Pick<ReplayPorts, 'clock' | 'random' | 'stream' | 'shards' | 'archive' | 'source'> {
  const { clients, deployment, streamArn } = open;
  const kinesis = { client: clients.kinesis, streamArn, clock: systemClock };
  return {
    clock: systemClock,
    random: systemRandom,
    stream: makeAwsStream(kinesis),
    shards: makeAwsShards(kinesis),
    archive: makeAwsBucket({
      client: clients.s3,
      bucketName: deployment.archive?.bucket ?? '',
      clock: systemClock,
    }),
    source: tableOf(open, deployment.ledgerTable),
  };
}
