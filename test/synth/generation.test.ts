import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { readGeneration } from '../../lib/config/generation.ts';
import {
  DEV,
  PROD,
  resourcesOf,
  synth,
  synthGeneration,
  synthStandby,
  type Templates,
} from '../helpers/synth.ts';

let stack: Template;
let own: Templates;

beforeAll(async () => {
  stack = await synthGeneration({ fromMs: 0 });
  own = await synth(DEV);
});

/** The names that a template imports of other stacks. */
function importsOf(template: Template): readonly string[] {
  const found = JSON.stringify(template.toJSON()).matchAll(/"Fn::ImportValue":"([^"]+)"/g);
  return [...new Set([...found].map(([, name = '']) => name))].sort();
}

/** What a function's role may do, by sid. */
function statementsOf(template: Template, part: string) {
  const policies = Object.entries(resourcesOf(template, 'AWS::IAM::Policy'));
  const [, policy] = policies.find(([id]) => id.includes(part)) ?? [];
  const document = policy?.Properties.PolicyDocument as {
    readonly Statement: readonly {
      readonly Sid?: string;
      readonly Action: string | readonly string[];
      readonly Condition?: unknown;
    }[];
  };
  return new Map(document.Statement.map((one) => [one.Sid ?? '', one]));
}

describe('the stack of a generation', () => {
  it('imports only what the data stack exports without it, so that nothing else is deployed for it', async () => {
    const exported = Object.values(own.data.toJSON().Outputs ?? {}).flatMap((output) =>
      typeof output === 'object' && output !== null && 'Export' in output
        ? [String(Reflect.get(output.Export as object, 'Name'))]
        : [],
    );
    expect(importsOf(stack).filter((name) => !exported.includes(name))).toEqual([]);
    expect(importsOf(stack).length).toBeGreaterThan(5);
  });

  it('has tables, the function that fills them, and what goes on with the stream, switched off', () => {
    stack.resourceCountIs('AWS::DynamoDB::GlobalTable', 4);
    stack.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      Enabled: false,
      StartingPosition: 'TRIM_HORIZON',
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
    const functions = Object.keys(resourcesOf(stack, 'AWS::Lambda::Function'));
    for (const part of ['Replayer', 'Consumer', 'Keeper', 'Closer', 'Redriver']) {
      const expected = part !== 'Closer' || 'ClosedWindowsBus' in (own.data.toJSON().Outputs ?? {});
      expect(functions.some((id) => id.startsWith(part))).toBe(expected);
    }
  });

  it('only reads of the data stack’s ledger what it needs, and writes below its own prefix', () => {
    const statements = statementsOf(stack, 'Replayer');
    expect(statements.get('ReplaySource')).toMatchObject({
      Action: 'dynamodb:Query',
      Condition: {
        'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['archive|*', '1|registry'] },
      },
    });
    expect(statements.get('ReadArchive')?.Action).toBe('s3:GetObject');
    for (const part of ['Replayer', 'Consumer']) {
      const put = statementsOf(stack, part).get('QuarantineObjects');
      expect(JSON.stringify(put)).toContain('/quarantine/flights.generation-2/*');
    }
    expect(
      JSON.stringify(statementsOf(own.compute, 'Consumer').get('QuarantineObjects')),
    ).toContain('/quarantine/flights/*');
  });

  it('tells its functions which generation they are of', () => {
    for (const { Properties } of Object.values(resourcesOf(stack, 'AWS::Lambda::Function'))) {
      const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
      expect(Variables.MILLRACE_GENERATION).toBe('2');
    }
  });

  it('is retained and protected in prod', async () => {
    const prod = await synthGeneration({ fromMs: 0 }, { environment: PROD });
    for (const table of Object.values(resourcesOf(prod, 'AWS::DynamoDB::GlobalTable'))) {
      expect(table.DeletionPolicy).toBe('Retain');
    }
  });

  it('of a part of the records has no mapping', async () => {
    for (const replay of [{ toMs: 5 }, { key: 'ATL' }, { filter: "origin = 'ATL'" }]) {
      const part = await synthGeneration({ fromMs: 0, ...replay });
      part.resourceCountIs('AWS::Lambda::EventSourceMapping', 0);
      part.resourceCountIs('AWS::Lambda::Function', 1);
    }
  });
});

describe('a generation that stands by', () => {
  const GIVES_UP = {
    ...DEV,
    consumer: { ...DEV.consumer, retryAttempts: 5, giveUp: { standby: 2 } },
  };

  it('is there where the mapping may give up, and itself never gives up', async () => {
    const standby = await synthStandby(GIVES_UP);
    const [mapping] = Object.values(resourcesOf(standby, 'AWS::Lambda::EventSourceMapping'));
    expect(mapping?.Properties).toMatchObject({ Enabled: false });
    expect(mapping?.Properties).not.toHaveProperty('MaximumRetryAttempts');
    const { compute } = await synth(GIVES_UP);
    compute.hasResourceProperties('AWS::Lambda::EventSourceMapping', { MaximumRetryAttempts: 5 });
  });

  it('has a function that looks each minute, and may swap and switch on its own mapping', async () => {
    const standby = await synthStandby(GIVES_UP);
    const statements = statementsOf(standby, 'Recoverer');
    expect(statements.get('SwapLive')).toMatchObject({
      Action: ['dynamodb:Query', 'dynamodb:PutItem'],
      Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['generation'] } },
    });
    expect(statements.get('EnableMapping')?.Action).toBe('lambda:UpdateEventSourceMapping');
    standby.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: 'rate(1 minute)' });
  });
});

describe('the compute stack', () => {
  it('has a function that replays into the live generation, and nothing where there is no archive', async () => {
    const names = (template: Template) =>
      Object.keys(resourcesOf(template, 'AWS::Lambda::Function'));
    expect(names(own.compute).filter((id) => id.startsWith('Replayer'))).toHaveLength(1);
    const without = await synth({ ...DEV, archive: false });
    expect(names(without.compute).filter((id) => id.startsWith('Replayer'))).toHaveLength(0);
  });
});

describe('the generation that is asked for', () => {
  const read = (values: Readonly<Record<string, unknown>>) =>
    readGeneration((name) => values[name]);

  it('is none, or a number with what it is rebuilt from', () => {
    expect(read({})).toBeUndefined();
    expect(read({ generation: '3', pipeline: 'flights' })).toEqual({
      pipeline: 'flights',
      number: 3,
      replay: { fromMs: 0 },
    });
    const replay = '{"fromMs":5,"key":"ATL"}';
    expect(read({ generation: '3', pipeline: 'flights', replay })?.replay).toEqual({
      fromMs: 5,
      key: 'ATL',
    });
  });

  it.each([
    [{ generation: '1', pipeline: 'flights' }, '-c generation'],
    [{ generation: '2' }, '-c pipeline'],
    [{ generation: '2', pipeline: 'flights', replay: '{' }, '-c replay'],
    [{ generation: '2', pipeline: 'flights', replay: '{"fromMs":"x"}' }, '-c replay'],
  ])('is refused when it is wrong: %o', (values, what) => {
    expect(() => read(values)).toThrow(what);
  });
});
