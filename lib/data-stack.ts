import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Stream } from 'aws-cdk-lib/aws-kinesis';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { serviceName } from '../src/core/contract.ts';
import type { Program } from '../src/core/program.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import { makeEventStream } from './ingestion/event-stream.ts';
import { makeDataKey } from './security/keys.ts';
import { ClosedWindows } from './serving/closed-windows.ts';
import { ArchiveStore } from './storage/archive-store.ts';
import { makeQuarantineBucket } from './storage/quarantine-bucket.ts';
import { PipelineTables } from './storage/tables.ts';

/** What a data stack is made with. */
export interface DataStackProps extends StackProps {
  readonly program: Program;
  readonly environment: EnvironmentConfig;
}

/** Everything of a pipeline that holds data. It outlives any number of compute stacks. */
export class DataStack extends Stack {
  /** Logical partitions of the stream's records. */
  readonly partitions: number | 'shard';
  readonly dataKey: Key;
  readonly stream: Stream;
  readonly tables: PipelineTables;
  readonly quarantineBucket: Bucket;
  /** Undefined where the pipeline or the environment has no archive. */
  readonly archive: ArchiveStore | undefined;
  /** Where the pipeline closes windows. */
  readonly closedWindows: ClosedWindows | undefined;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    const { program, environment, ...rest } = props;
    super(scope, id, { terminationProtection: environment.protectData, ...rest });
    const { retention, partitions } = program.settings;
    this.partitions = partitions;
    const protect = environment.protectData;
    this.dataKey = makeDataKey(this, 'DataKey', protect);
    this.stream = makeEventStream(this, 'Stream', {
      environment,
      key: this.dataKey,
      retentionMs: retention.streamMs,
    });
    this.tables = new PipelineTables(this, 'Tables', {
      key: this.dataKey,
      protect,
      capacity: environment.tables,
    });
    this.quarantineBucket = makeQuarantineBucket(this, 'QuarantineBucket', {
      key: this.dataKey,
      protect,
      retentionMs: retention.quarantineMs,
    });
    this.archive = this.#archive(props);
    this.closedWindows =
      program.settings.closing === null
        ? undefined
        : new ClosedWindows(this, 'ClosedWindows', {
            service: serviceName(program.name, environment.name),
            key: this.dataKey,
            protect,
          });
    this.#output({
      StreamName: this.stream.streamName,
      EventsTable: this.tables.events.tableName,
      AggregatesTable: this.tables.aggregates.tableName,
      LedgerTable: this.tables.ledger.tableName,
      QuarantineTable: this.tables.quarantine.tableName,
      QuarantineBucket: this.quarantineBucket.bucketName,
      ...(this.closedWindows === undefined
        ? {}
        : { ClosedWindowsBus: this.closedWindows.bus.eventBusName }),
      ...(this.archive === undefined
        ? {}
        : {
            ArchiveBucket: this.archive.bucket.bucketName,
            ArchiveDatabase: this.archive.databaseName,
          }),
    });
  }

  #archive({ program, environment }: DataStackProps): ArchiveStore | undefined {
    const retentionMs = program.settings.retention.archiveMs;
    if (retentionMs === null || environment.archive === false) return undefined;
    return new ArchiveStore(this, 'Archive', {
      key: this.dataKey,
      config: environment.archive,
      pipeline: program.name,
      environment: environment.name,
      protect: environment.protectData,
      retentionMs,
    });
  }

  #output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values))
      new CfnOutput(this, `${name}Output`, { value }).overrideLogicalId(name);
  }
}
