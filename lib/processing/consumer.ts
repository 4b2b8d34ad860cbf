import { Duration, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import {
  type Alias,
  EventSourceMapping,
  MetricType,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { compile } from '../../src/core/compile.ts';
import type { OutputTarget } from '../../src/core/contract.ts';
import { FIRST_GENERATION } from '../../src/core/generation.ts';
import { versionFacts } from '../../src/core/shape.ts';
import type { PipelineFolder } from '../../src/project/discover.ts';
import type { ConsumerConfig, EnvironmentConfig } from '../config/environment.ts';
import type { DataStack } from '../data-stack.ts';
import { permissions } from '../security/permissions.ts';
import type { PipelineTables } from '../storage/tables.ts';
import { codePrintOf, makePipelineFunction } from './pipeline-function.ts';

/** What a consumer is made with. */
export interface ConsumerProps {
  readonly folder: PipelineFolder;
  readonly environment: EnvironmentConfig;
  readonly data: DataStack;
  /** What the pipeline feeds. */
  readonly fed: readonly FedPipeline[];
  /** A rebuilt generation, with tables of its own; default: the first one, with those of the data stack. */
  readonly generation?: { readonly name: string; readonly tables: PipelineTables };
}

/** The generation that functions are made for. */
export function generationOf({
  data,
  generation = { name: FIRST_GENERATION, tables: data.tables },
}: ConsumerProps): Required<ConsumerProps>['generation'] {
  return generation;
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
  /** The version of the pipeline that it runs: `VersionFacts` as JSON. */
  readonly version: string;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { folder, environment, data, fed } = props;
    const program = compile(folder.pipeline, folder.references, { codePrint: codePrintOf(folder) });
    this.version = JSON.stringify(versionFacts(folder.pipeline, program));
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'consume',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: environment.consumer.memoryMb,
      timeoutSeconds: environment.consumer.timeoutSeconds,
      variables: {
        ...consumeVariables(props),
        outputs: Stack.of(this).toJsonString(outputsOf(fed)),
      },
    });
    this.#permit(props);
    permitOutputs(this.function, fed);
    this.alias = this.function.addAlias('live');
    this.mapping = this.#map(props);
  }

  #permit(props: ConsumerProps): void {
    const { folder, data } = props;
    const { stream, quarantineBucket, dataKey } = data;
    const { name } = generationOf(props);
    const statements = [
      permissions.readStream(stream),
      ...consumePermissions(props),
      permissions.quarantine(quarantineBucket, folder.name, name),
      permissions.failureObjects(quarantineBucket),
      permissions.failureBucket(quarantineBucket),
      permissions.useKey(dataKey),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
  }

  /** Tries are without limit; what can't be processed is quarantined by the function itself. */
  #map({ environment: { consumer }, data, generation }: ConsumerProps): EventSourceMapping {
    const mapping = new EventSourceMapping(this, 'Mapping', {
      target: this.alias,
      eventSourceArn: data.stream.streamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      // A rebuilt generation's is switched on when the archive is through.
      enabled: generation === undefined,
      batchSize: consumer.batchSize,
      maxBatchingWindow: Duration.seconds(consumer.batchingWindowSeconds),
      parallelizationFactor: consumer.parallelizationFactor,
      bisectBatchOnError: consumer.bisectOnError,
      reportBatchItemFailures: true,
      // What the alarms on given-up records watch is only measured when asked for.
      metricsConfig: { metrics: [MetricType.EVENT_COUNT] },
      // Not S3OnFailureDestination: it would also let the function read and delete everything in the bucket.
      onFailure: { bind: () => ({ destination: data.quarantineBucket.bucketArn }) },
      // What was rebuilt because something was given up does not give up.
      ...(generation === undefined ? limitsOf(consumer) : {}),
    });
    mapping.node.addDependency(this.function.role ?? this.function);
    return mapping;
  }
}

function limitsOf({ retryAttempts, maxRecordAgeSeconds }: ConsumerConfig) {
  return {
    ...(retryAttempts === -1 ? {} : { retryAttempts }),
    ...(maxRecordAgeSeconds === -1 ? {} : { maxRecordAge: Duration.seconds(maxRecordAgeSeconds) }),
  };
}

/** Where a function that folds events reads and writes, whatever the events come from. */
export function consumeVariables(props: ConsumerProps) {
  const { stream, quarantineBucket } = props.data;
  const { name, tables } = generationOf(props);
  return {
    streamArn: stream.streamArn,
    ledgerTable: tables.ledger.tableName,
    aggregatesTable: tables.aggregates.tableName,
    eventsTable: tables.events.tableName,
    quarantineTable: tables.quarantine.tableName,
    quarantineBucket: quarantineBucket.bucketName,
    generation: name,
  };
}

/** What such a function does with the tables of its generation. */
export function consumePermissions(props: ConsumerProps): readonly PolicyStatement[] {
  const { tables } = generationOf(props);
  return [
    permissions.ledger(tables.ledger),
    permissions.aggregates(tables.aggregates, props.folder.pipeline.closing !== null),
    permissions.putOnly('Events', tables.events),
    permissions.putOnly('QuarantineIndex', tables.quarantine),
  ];
}

/** Lets a function put into the streams of other pipelines, with their keys, as a producer. */
export function permitOutputs(own: NodejsFunction, fed: readonly FedPipeline[]): void {
  const stacks = [...new Set(fed.map(({ data }) => data))];
  for (const [index, { stream, dataKey }] of stacks.entries()) {
    own.addToRolePolicy(permissions.feedStream(`Feed${index + 1}`, stream));
    own.addToRolePolicy(permissions.produceWithKey(`FeedKey${index + 1}`, dataKey));
  }
}

/** What a function is told of the streams that it writes into; the bundle holds its own pipeline only. */
export function outputsOf(fed: readonly FedPipeline[]): Readonly<Record<string, OutputTarget>> {
  const targets = fed.map(({ output, data }): [string, OutputTarget] => [
    output,
    { streamArn: data.stream.streamArn, partitions: Number(data.partitions) },
  ]);
  return Object.fromEntries(targets);
}
