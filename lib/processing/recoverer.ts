import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { permissions } from '../security/permissions.ts';
import { makePipelineFunction } from './pipeline-function.ts';
import { permitReplay, type ReplayerProps, replayVariables } from './replayer.ts';

/** What a recoverer is made with. */
export interface RecovererProps extends ReplayerProps {
  /** Of the live consumer, which may give up. */
  readonly live: EventSourceMapping;
  /** Of the generation that stands by. */
  readonly own: EventSourceMapping;
}

/** How often it looks for what was given up, and goes on with rebuilding. */
const EVERY = Duration.minutes(1);

/** Lambda's longest. */
const TIMEOUT_SECONDS = 900;

/** The function that rebuilds the generation that stands by, and makes it the live one, when a batch was given up. */
export class Recoverer extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: RecovererProps) {
    super(scope, id);
    const { folder, environment, data, live, own } = props;
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'recover',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: environment.consumer.memoryMb,
      timeoutSeconds: TIMEOUT_SECONDS,
      variables: {
        ...replayVariables(props),
        liveMapping: live.eventSourceMappingId,
        ownMapping: own.eventSourceMappingId,
      },
    });
    permitReplay(this.function, props);
    const statements = [
      permissions.failureNames(data.quarantineBucket),
      permissions.swapLive(data.tables.ledger),
      permissions.enableMapping(own),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
    new Rule(this, 'Schedule', {
      description: `Millrace: recover ${folder.name} from batches that were given up`,
      schedule: Schedule.rate(EVERY),
      // The next run goes on.
      targets: [new LambdaFunction(this.function, { retryAttempts: 0 })],
    });
  }
}
