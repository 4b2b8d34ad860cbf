import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { permissions } from '../security/permissions.ts';
import type { ConsumerProps } from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** How often it looks: CloudWatch tells of a minute at a time. */
const EVERY = Duration.minutes(1);

/** What a scaler is made with. */
export interface ScalerProps extends ConsumerProps {
  readonly least: number;
  readonly most: number;
}

/** The function that doubles and halves the shards of a provisioned stream, on its schedule. */
export class Scaler extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ScalerProps) {
    super(scope, id);
    const { folder, environment, data, least, most } = props;
    const readers = data.archive === undefined ? 1 : 2;
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'scale',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: 512,
      timeoutSeconds: 30,
      variables: {
        streamArn: data.stream.streamArn,
        ledgerTable: data.tables.ledger.tableName,
        scaling: JSON.stringify({ least, most, readers }),
      },
    });
    const statements = [
      permissions.resizeStream(data.stream),
      permissions.readMetrics(),
      permissions.scalingNote(data.tables.ledger),
      permissions.useKey(data.dataKey),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
    new Rule(this, 'Schedule', {
      description: `Millrace: scale the stream of ${folder.name}`,
      schedule: Schedule.rate(EVERY),
      // What fails is looked at again a minute later.
      targets: [new LambdaFunction(this.function, { retryAttempts: 0 })],
    });
  }
}
