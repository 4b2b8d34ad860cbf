import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { EventSourceMapping, MetricType, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { ArchiveConfig } from '../config/environment.ts';
import { permissions } from '../security/permissions.ts';
import type { ArchiveStore } from '../storage/archive-store.ts';
import type { ConsumerProps } from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** What an archiver is made with. */
export interface ArchiverProps extends ConsumerProps {
  readonly config: ArchiveConfig;
  readonly store: ArchiveStore;
}

/** How often the archive is checked; a stream keeps records for a day at least. */
const CHECK_EVERY = Duration.hours(1);

/** The function that archives the stream with its event source mapping, and the one that checks the archive. */
export class Archiver extends Construct {
  readonly function: NodejsFunction;
  readonly mapping: EventSourceMapping;
  readonly checker: NodejsFunction;

  constructor(scope: Construct, id: string, props: ArchiverProps) {
    super(scope, id);
    this.function = this.#archiver(props);
    this.mapping = this.#map(props);
    this.checker = this.#checker(props);
  }

  #archiver({ folder, environment, data, config, store }: ArchiverProps): NodejsFunction {
    const archiver = makePipelineFunction(this, 'Function', {
      entry: 'archive',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: config.memoryMb,
      timeoutSeconds: config.timeoutSeconds,
      variables: variablesOf({ data, store }),
    });
    const statements = [
      permissions.readStream(data.stream),
      permissions.archiveTails(data.tables.ledger, ['dynamodb:BatchGetItem', 'dynamodb:PutItem']),
      permissions.archiveObjects(store.bucket),
      permissions.failureObjects(data.quarantineBucket),
      permissions.failureBucket(data.quarantineBucket),
      permissions.useKey(data.dataKey),
    ];
    for (const statement of statements) archiver.addToRolePolicy(statement);
    return archiver;
  }

  /**
   * One batch of a shard at a time, and no end of tries: an object says what it follows because a shard's
   * batches come one after the other (docs/adr/0008-archive.md). Neither can be configured.
   */
  #map({ config, data }: ArchiverProps): EventSourceMapping {
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.function,
      eventSourceArn: data.stream.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: config.batchSize,
      maxBatchingWindow: Duration.seconds(config.batchingWindowSeconds),
      parallelizationFactor: 1,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      onFailure: { bind: () => ({ destination: data.quarantineBucket.bucketArn }) },
    });
    mapping.node.addDependency(this.function.role ?? this.function);
    return mapping;
  }

  #checker({ folder, environment, data, store }: ArchiverProps): NodejsFunction {
    const checker = makePipelineFunction(this, 'Checker', {
      entry: 'check-archive',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: 512,
      timeoutSeconds: 300,
      variables: variablesOf({ data, store }),
    });
    const statements = [
      permissions.readStream(data.stream),
      permissions.archiveTails(data.tables.ledger, ['dynamodb:Query', 'dynamodb:PutItem']),
      permissions.archiveNames(store.bucket),
      permissions.useKey(data.dataKey),
    ];
    for (const statement of statements) checker.addToRolePolicy(statement);
    new Rule(this, 'Schedule', {
      description: `Millrace: check the archive of ${folder.name}`,
      schedule: Schedule.rate(CHECK_EVERY),
      targets: [new LambdaFunction(checker, { retryAttempts: 2 })],
    });
    return checker;
  }
}

function variablesOf({ data, store }: Pick<ArchiverProps, 'data' | 'store'>) {
  return {
    streamArn: data.stream.streamArn,
    ledgerTable: data.tables.ledger.tableName,
    archiveBucket: store.bucket.bucketName,
  };
}
