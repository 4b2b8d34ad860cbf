import { beforeAll, describe, expect, it } from 'vitest';
import { UnsafeSettingsError } from '../../lib/safety/rules.ts';
import { checkStages, STAGE_RULES } from '../../lib/safety/stage-rules.ts';
import { compile } from '../../src/core/compile.ts';
import type { Program } from '../../src/core/program.ts';
import { fedPipeline, feedingPipeline } from '../helpers/stage-pipelines.ts';
import { PROD, type Resource, resourcesOf, synthStages, type Templates } from '../helpers/synth.ts';

let stages: ReadonlyMap<string, Templates>;

beforeAll(async () => {
  stages = await synthStages(PROD, 'flights');
});

function templatesOf(pipeline: string): Templates {
  const found = stages.get(pipeline);
  if (found === undefined) throw new Error(`${pipeline} was not synthesised`);
  return found;
}

interface Statement {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** What the functions of a pipeline may do in another pipeline's data stack. */
function reachOf(pipeline: string, stack: string): readonly Statement[] {
  const policies: Resource[] = Object.values(
    resourcesOf(templatesOf(pipeline).compute, 'AWS::IAM::Policy'),
  );
  return policies
    .flatMap(
      ({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
    )
    .filter(({ Resource }) => JSON.stringify(Resource).includes(`"${stack}:`));
}

function consumerVariables(pipeline: string): Readonly<Record<string, unknown>> {
  const functions = Object.values(
    resourcesOf(templatesOf(pipeline).compute, 'AWS::Lambda::Function'),
  );
  const consumer = functions.find(({ Properties }) =>
    String(Properties.Description).includes('consume'),
  );
  const environment = consumer?.Properties.Environment ?? { Variables: {} };
  return (environment as { Variables: Record<string, unknown> }).Variables;
}

describe('stages that feed each other', () => {
  it('are synthesised together, the fed one also where only the feeding one is asked for', () => {
    expect([...stages.keys()]).toEqual(['flights', 'delays']);
  });

  it('may put records into the fed stream with its key, and nothing else of that stack', () => {
    const statements = reachOf('flights', 'delays-prod-data');
    const actions = statements.map(({ Action, Resource }) => [
      Action,
      JSON.stringify(Resource).replace(/.*ExportsOutputFnGetAtt(\w+?)[0-9A-F]{8}Arn.*/, '$1'),
    ]);
    const producer = [
      ['kinesis:PutRecords', 'Stream'],
      ['kms:GenerateDataKey', 'DataKey'],
    ];
    // The consumer, what brings refused events back, and what replays events that were not read.
    expect(actions).toEqual([...producer, ...producer, ...producer]);
    expect(reachOf('delays', 'flights-prod-data')).toEqual([]);
  });

  it('tell the function the stream and the partitions of each output', () => {
    const outputs = JSON.stringify(consumerVariables('flights').MILLRACE_OUTPUTS);
    expect(outputs).toMatch(/late.*streamArn.*delays-prod-data:.*Stream.*partitions.*4/);
    expect(consumerVariables('delays').MILLRACE_OUTPUTS).toBe('{}');
  });

  /** Else a deployment of one stage alone would take away what the other one imports. */
  it('have the same fed stacks when these are synthesised alone', async () => {
    const alone = (await synthStages(PROD, 'delays')).get('delays');
    expect(alone?.data.toJSON()).toEqual(templatesOf('delays').data.toJSON());
    expect(alone?.compute.toJSON()).toEqual(templatesOf('delays').compute.toJSON());
  });
});

const feeding = compile(feedingPipeline);
const fed = compile(fedPipeline);
const DAY_MS = 86_400_000;

function withRetention(program: Program, days: number): Program {
  const { settings } = program;
  const retention = { ...settings.retention, streamMs: days * DAY_MS };
  return { ...program, settings: { ...settings, retention } };
}

/** A stage between two others. */
function feedingBack(name: string, to: string, by: string): Program {
  const outputs = feeding.outputs.map((output) => ({ ...output, to }));
  return { ...fed, name, outputs, settings: { ...fed.settings, fedBy: [by] } };
}

const CASES: Readonly<Record<string, readonly Program[]>> = {
  'an output feeds a pipeline that there is': [feeding],
  'pipelines do not feed each other in a circle': [
    { ...feeding, settings: { ...feeding.settings, fedBy: ['third'] } },
    feedingBack('fed', 'third', 'feeding'),
    feedingBack('third', 'feeding', 'fed'),
  ],
  'a pipeline that is fed names the one that feeds it': [
    feeding,
    { ...fed, settings: { ...fed.settings, fedBy: [] } },
  ],
  'a pipeline that is fed keeps its stream as long as the one that feeds it': [
    withRetention(feeding, 3),
    withRetention(fed, 2),
  ],
};

function broken(programs: readonly Program[]): UnsafeSettingsError | undefined {
  try {
    checkStages(programs);
    return undefined;
  } catch (error) {
    if (error instanceof UnsafeSettingsError) return error;
    throw error;
  }
}

describe('rules of stages', () => {
  it('accept a pipeline that feeds another, one that feeds nobody, and a longer chain', () => {
    expect(broken([feeding, fed])).toBeUndefined();
    expect(broken([fed])).toBeUndefined();
    const third = { ...fed, name: 'third', settings: { ...fed.settings, fedBy: ['fed'] } };
    expect(broken([feeding, feedingBack('fed', 'third', 'feeding'), third])).toBeUndefined();
    expect(broken([withRetention(feeding, 3), withRetention(fed, 3)])).toBeUndefined();
  });

  it.each(STAGE_RULES.map(({ rule }) => rule))('refuse when this does not hold: %s', (rule) => {
    const error = broken(CASES[rule] ?? []);
    expect(new Set(error?.fields.rules as string[])).toEqual(new Set([rule]));
    expect(error?.message).toContain("feeding.outputs.large to 'fed'");
  });

  it('name the circle', () => {
    const error = broken(CASES['pipelines do not feed each other in a circle'] ?? []);
    expect(error?.message).toContain('feeding → fed → third → feeding');
  });
});
