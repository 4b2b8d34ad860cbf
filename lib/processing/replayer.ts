import { Stack } from 'aws-cdk-lib';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { ReplaySettings } from '../../src/core/contract.ts';
import { permissions } from '../security/permissions.ts';
import type { ArchiveStore } from '../storage/archive-store.ts';
import {
  type ConsumerProps,
  consumePermissions,
  consumeVariables,
  generationOf,
  outputsOf,
  permitOutputs,
} from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** What a replayer is made with. */
export interface ReplayerProps extends ConsumerProps {
  readonly store: ArchiveStore;
  /** What is replayed; undefined: what the consumer of these tables has not read, if there is any. */
  readonly settings?: ReplaySettings;
}

/** Lambda's longest. A call says how much of it is wanted. */
const TIMEOUT_SECONDS = 900;

/** The function that reads the archive into the tables of a generation. It is called by hand. */
export class Replayer extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ReplayerProps) {
    super(scope, id);
    const { folder, environment, data, fed, settings } = props;
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'replay',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: environment.consumer.memoryMb,
      timeoutSeconds: TIMEOUT_SECONDS,
      variables: {
        ...replayVariables(props),
        outputs: Stack.of(this).toJsonString(outputsOf(fed)),
        replay: JSON.stringify(settings ?? null),
      },
    });
    permitReplay(this.function, props);
    permitOutputs(this.function, fed);
  }
}

/** Where a function that replays reads and writes. */
export function replayVariables(props: ReplayerProps) {
  const { data, store } = props;
  return {
    ...consumeVariables(props),
    archiveBucket: store.bucket.bucketName,
    sourceTable: data.tables.ledger.tableName,
  };
}

/** Lets a function replay into the tables of a generation. */
export function permitReplay(own: NodejsFunction, props: ReplayerProps): void {
  const { folder, data, store } = props;
  const { stream, quarantineBucket, dataKey } = data;
  const { name } = generationOf(props);
  const statements = [
    permissions.listShards(stream),
    ...consumePermissions(props),
    permissions.quarantine(quarantineBucket, folder.name, name),
    permissions.readArchive(store.bucket),
    permissions.archiveNames(store.bucket),
    permissions.replaySource(data.tables.ledger),
    permissions.useKey(dataKey),
  ];
  for (const statement of statements) own.addToRolePolicy(statement);
}
