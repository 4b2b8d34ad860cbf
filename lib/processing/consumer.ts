import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alias,
  EventSourceMapping,
  MetricType,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import type { OutputTarget } from '../../src/core/contract.ts';
import type { PipelineFolder } from '../../src/project/discover.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import type { DataStack } from '../data-stack.ts';
import { permissions } from '../security/permissions.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** What a consumer is made with. */
export interface ConsumerProps {
  readonly folder: PipelineFolder;
  readonly environment: EnvironmentConfig;
  readonly data: DataStack;
  /** What the pipeline feeds. */
  readonly fed: readonly FedPipeline[];
}

/** A pipeline that an output feeds. */
export interface FedPipeline {
  readonly output: string;
  readonly data: DataStack;
}

/** The function that processes the stream, its alias and its event source mapping. */
export class Consumer extends Construct {
  readonly function: NodejsFunction;
  readonly alias: Alias;
  readonly mapping: EventSourceMapping;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { folder, environment, data, fed } = props;
    const { tables, stream, quarantineBucket, dataKey } = data;
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'consume',
      folder,
      environment,
      key: dataKey,
      memoryMb: environment.consumer.memoryMb,
      timeoutSeconds: environment.consumer.timeoutSeconds,
      variables: {
        streamArn: stream.streamArn,
        ledgerTable: tables.ledger.tableName,
        aggregatesTable: tables.aggregates.tableName,
        eventsTable: tables.events.tableName,
        quarantineTable: tables.quarantine.tableName,
        quarantineBucket: quarantineBucket.bucketName,
        outputs: Stack.of(this).toJsonString(outputsOf(fed)),
      },
    });
    this.#permit(props);
    this.#permitOutputs(fed);
    this.alias = this.function.addAlias('live');
    this.mapping = this.#map(props);
  }

  #permit({ folder, data }: ConsumerProps): void {
    const { tables, stream, quarantineBucket, dataKey } = data;
    const statements = [
      permissions.readStream(stream),
      permissions.ledger(tables.ledger),
      permissions.aggregates(tables.aggregates, folder.pipeline.closing !== null),
      permissions.putOnly('Events', tables.events),
      permissions.putOnly('QuarantineIndex', tables.quarantine),
      permissions.quarantine(quarantineBucket),
      permissions.failureObjects(quarantineBucket),
      permissions.failureBucket(quarantineBucket),
      permissions.useKey(dataKey),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
  }

  /** Into the streams of other pipelines, and with their keys, as a producer. */
  #permitOutputs(fed: readonly FedPipeline[]): void {
    const stacks = [...new Set(fed.map(({ data }) => data))];
    for (const [index, { stream, dataKey }] of stacks.entries()) {
      this.function.addToRolePolicy(permissions.feedStream(`Feed${index + 1}`, stream));
      this.function.addToRolePolicy(permissions.produceWithKey(`FeedKey${index + 1}`, dataKey));
    }
  }

  /** Tries are without limit; what can't be processed is quarantined by the function itself. */
  #map({ environment: { consumer }, data }: ConsumerProps): EventSourceMapping {
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.alias,
      eventSourceArn: data.stream.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: consumer.batchSize,
      maxBatchingWindow: Duration.seconds(consumer.batchingWindowSeconds),
      parallelizationFactor: consumer.parallelizationFactor,
      bisectBatchOnError: consumer.bisectOnError,
      reportBatchItemFailures: true,
      // What the alarms on given-up records watch is only measured when asked for.
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      // Not S3OnFailureDestination: it would also let the function read and delete everything in the bucket.
      onFailure: { bind: () => ({ destination: data.quarantineBucket.bucketArn }) },
      ...(consumer.retryAttempts === -1 ? {} : { retryAttempts: consumer.retryAttempts }),
      ...(consumer.maxRecordAgeSeconds === -1
        ? {}
        : { maxRecordAge: Duration.seconds(consumer.maxRecordAgeSeconds) }),
    });
    mapping.node.addDependency(this.function.role ?? this.function);
    return mapping;
  }
}

/** What the function is told of the streams that it writes into; the bundle holds its own pipeline only. */
function outputsOf(fed: readonly FedPipeline[]): Readonly<Record<string, OutputTarget>> {
  const targets = fed.map(({ output, data }): [string, OutputTarget] => [
    output,
    { streamArn: data.stream.streamArn, partitions: Number(data.partitions) },
  ]);
  return Object.fromEntries(targets);
}
