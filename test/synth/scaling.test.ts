import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { DEV, synth } from '../helpers/synth.ts';

const SCALED = { ...DEV, stream: { type: 'provisioned', shards: 1, scaleTo: 4 } } as const;

describe('a stream that is scaled', () => {
  it('has a function that looks each minute, and knows the range and the readers', async () => {
    const { data, compute } = await synth(SCALED);
    data.hasResourceProperties('AWS::Kinesis::Stream', { ShardCount: 1 });
    compute.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Millrace: scale of flights (dev)',
      Environment: {
        Variables: Match.objectLike({ MILLRACE_SCALING: '{"least":1,"most":4,"readers":2}' }),
      },
    });
    compute.hasResourceProperties('AWS::Events::Rule', {
      Description: 'Millrace: scale the stream of flights',
      ScheduleExpression: 'rate(1 minute)',
    });
  });

  it('lets that function change its own stream, and touch its own note', async () => {
    const { compute } = await synth(SCALED);
    const policies = Object.values(compute.findResources('AWS::IAM::Policy'));
    const statements = policies.flatMap(
      ({ Properties }): { readonly Sid?: string; readonly Action: string | readonly string[] }[] =>
        Properties.PolicyDocument.Statement,
    );
    const named = (sid: string) => statements.filter(({ Sid }) => Sid === sid);
    expect(named('ResizeStream')).toMatchObject([
      { Action: ['kinesis:DescribeStreamSummary', 'kinesis:UpdateShardCount'] },
    ]);
    expect(named('ScalingNote')).toMatchObject([
      {
        Action: ['dynamodb:BatchGetItem', 'dynamodb:PutItem'],
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['scaling'] } },
      },
    ]);
    const others = statements.filter(({ Action }) =>
      JSON.stringify(Action).includes('UpdateShard'),
    );
    expect(others).toHaveLength(1);
  });

  it('is only where it is asked for', async () => {
    const { compute } = await synth(DEV);
    expect(JSON.stringify(compute.toJSON())).not.toContain('UpdateShardCount');
    expect(compute.findOutputs('ScalerName')).toEqual({});
  });
});

describe('a table with provisioned capacity', () => {
  const capacity = { write: { least: 5, most: 500 }, read: { least: 1, most: 100 } };

  it('follows its use between its bounds; the others are on demand', async () => {
    const { data } = await synth({ ...DEV, tables: { events: capacity } });
    const tables = Object.entries(data.findResources('AWS::DynamoDB::GlobalTable'));
    const modes = tables.map(([id, { Properties }]) => [
      id.replace(/^Tables|\w{8}$/g, ''),
      Properties.BillingMode,
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      Events: 'PROVISIONED',
      Aggregates: 'PAY_PER_REQUEST',
      Ledger: 'PAY_PER_REQUEST',
      Quarantine: 'PAY_PER_REQUEST',
    });
    data.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      WriteProvisionedThroughputSettings: {
        WriteCapacityAutoScalingSettings: {
          MinCapacity: 5,
          MaxCapacity: 500,
          TargetTrackingScalingPolicyConfiguration: { TargetValue: 70 },
        },
      },
    });
  });
});
