import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Stream } from 'aws-cdk-lib/aws-kinesis';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { Program } from '../src/core/program.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import { makeEventStream } from './ingestion/event-stream.ts';
import { makeDataKey } from './security/keys.ts';
import { makeQuarantineBucket } from './storage/quarantine-bucket.ts';
import { PipelineTables } from './storage/tables.ts';

/** What a data stack is made with. */
export interface DataStackProps extends StackProps {
  readonly program: Program;
  readonly environment: EnvironmentConfig;
}

/** Everything of a pipeline that holds data. It outlives any number of compute stacks. */
export class DataStack extends Stack {
  readonly dataKey: Key;
  readonly stream: Stream;
  readonly tables: PipelineTables;
  readonly quarantineBucket: Bucket;

  constructor(scope: Construct, id: string, props: DataStackProps) {
    const { program, environment, ...rest } = props;
    super(scope, id, { terminationProtection: environment.protectData, ...rest });
    const { retention } = program.settings;
    const protect = environment.protectData;
    this.dataKey = makeDataKey(this, 'DataKey', protect);
    this.stream = makeEventStream(this, 'Stream', {
      environment,
      key: this.dataKey,
      retentionMs: retention.streamMs,
    });
    this.tables = new PipelineTables(this, 'Tables', { key: this.dataKey, protect });
    this.quarantineBucket = makeQuarantineBucket(this, 'QuarantineBucket', {
      key: this.dataKey,
      protect,
      retentionMs: retention.quarantineMs,
    });
    this.#output({
      StreamName: this.stream.streamName,
      EventsTable: this.tables.events.tableName,
      AggregatesTable: this.tables.aggregates.tableName,
      LedgerTable: this.tables.ledger.tableName,
      QuarantineTable: this.tables.quarantine.tableName,
      QuarantineBucket: this.quarantineBucket.bucketName,
    });
  }

  #output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values))
      new CfnOutput(this, `${name}Output`, { value }).overrideLogicalId(name);
  }
}
