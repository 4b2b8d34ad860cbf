import { Annotations, type App, PermissionsBoundary, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { compile } from '../src/core/compile.ts';
import { InvariantError } from '../src/core/errors.ts';
import { generationStackName, quarantineFolder } from '../src/core/generation.ts';
import type { Program } from '../src/core/program.ts';
import type { PipelineFolder } from '../src/project/discover.ts';
import { ComputeStack } from './compute-stack.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import type { GenerationConfig } from './config/generation.ts';
import { DataStack } from './data-stack.ts';
import { GenerationStack } from './generation-stack.ts';
import type { Consumer, FedPipeline } from './processing/consumer.ts';
import { checkSettings } from './safety/rules.ts';
import { checkStages } from './safety/stage-rules.ts';
import { acknowledgeFindings, acknowledgeFunctionFindings } from './security/findings.ts';

/** What an app is made of. */
export interface StackSource {
  readonly folders: readonly PipelineFolder[];
  readonly environment: EnvironmentConfig;
  /** Where it is deployed: tables with their own key have to know the region when they are synthesised. */
  readonly target: Target;
  /** A generation of one of these pipelines that is rebuilt, if one is asked for. */
  readonly generation?: GenerationConfig | undefined;
}

/** Account and region; without an account the template fits any. */
export interface Target {
  readonly account: string | undefined;
  readonly region: string;
}

/**
 * Adds the stacks of the given pipelines to an app, data and compute for each, with the checks that
 * fail a synth.
 *
 * @throws UnsafeSettingsError when settings don't go together
 */
export function addStacks(app: App, source: StackSource): App {
  const { folders, environment } = source;
  if (environment.bootstrapQualifier !== undefined) {
    app.node.setContext('@aws-cdk/core:bootstrapQualifier', environment.bootstrapQualifier);
  }
  const stages = folders.map((folder) => ({
    folder,
    program: compile(folder.pipeline, folder.references),
  }));
  for (const { folder, program } of stages) {
    checkSettings({ program, environment, latencyP99Ms: folder.pipeline.objectives.latencyP99Ms });
  }
  checkStages(stages.map(({ program }) => program));
  const data = new Map(
    stages.map((stage) => [stage.program.name, addData(app, stage, source)] as const),
  );
  for (const stage of stages) addCompute(app, stage, source, data);
  const { generation } = source;
  const rebuilt = stages.find(({ program }) => program.name === generation?.pipeline);
  if (generation !== undefined && rebuilt !== undefined) {
    addGeneration(app, rebuilt, { ...source, generation }, data);
  }
  for (const [name, value] of Object.entries(environment.tags)) Tags.of(app).add(name, value);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

/** A pipeline on its way into an app. */
interface Stage {
  readonly folder: PipelineFolder;
  readonly program: Program;
}

function addData(app: App, { program }: Stage, source: StackSource): DataStack {
  const { name } = program;
  return new DataStack(app, `${name}-${source.environment.name}-data`, {
    ...common(source),
    program,
    description: `Millrace: stream, tables and bucket of ${name} (${source.environment.name})`,
  });
}

/** After the data of all: a pipeline writes into the streams of those that it feeds. */
function addCompute(
  app: App,
  stage: Stage,
  source: StackSource,
  stacks: ReadonlyMap<string, DataStack>,
): void {
  const { folder, program } = stage;
  const { name } = program;
  const data = stackOf(stacks, name);
  const fed = program.outputs.map(
    ({ name: output, to }): FedPipeline => ({
      output,
      data: stackOf(stacks, to),
    }),
  );
  const compute = new ComputeStack(app, `${name}-${source.environment.name}-compute`, {
    ...common(source),
    folder,
    data,
    fed,
    description: `Millrace: functions, alarms and dashboard of ${name} (${source.environment.name})`,
  });
  acknowledgeFindings(data, compute, name);
  tellFallbacks(compute, folder);
  const { giveUp } = source.environment.consumer;
  if (giveUp === undefined) return;
  const generation = { pipeline: name, number: giveUp.standby, replay: { fromMs: 0 } };
  addGeneration(app, stage, { ...source, generation, standsBy: compute.consumer }, stacks);
}

/** Beside the others, which it changes nothing of: it imports what they import. */
function addGeneration(
  app: App,
  { folder, program: { name } }: Stage,
  source: StackSource & { readonly generation: GenerationConfig; readonly standsBy?: Consumer },
  stacks: ReadonlyMap<string, DataStack>,
): void {
  const { environment, generation, standsBy } = source;
  const data = stackOf(stacks, name);
  const stack = new GenerationStack(
    app,
    generationStackName(name, environment.name, generation.number),
    {
      ...common(source),
      folder,
      data,
      generation,
      ...(standsBy === undefined ? {} : { standsBy }),
      description: `Millrace: generation ${generation.number} of ${name} (${environment.name})`,
    },
  );
  acknowledgeFunctionFindings(data, stack, quarantineFolder(name, String(generation.number)));
}

/** Says which parts of the schema cost what they cost in its library. */
function tellFallbacks(compute: ComputeStack, { name, decoder }: PipelineFolder): void {
  if (decoder.fallbacks.length === 0) return;
  const parts = decoder.fallbacks.join('; ');
  Annotations.of(compute).addInfo(
    `${name}: no code is generated for ${parts}. The schema library checks them, some 0.2 to 1 us an event; simpler schemas are faster.`,
  );
}

function common({ environment, target }: StackSource) {
  const { permissionsBoundary: boundary } = environment;
  return {
    environment,
    env: target,
    ...(boundary === undefined
      ? {}
      : { permissionsBoundary: PermissionsBoundary.fromName(boundary) }),
  };
}

function stackOf(stacks: ReadonlyMap<string, DataStack>, name: string): DataStack {
  const found = stacks.get(name);
  if (found !== undefined) return found;
  throw new InvariantError(`stacks: got none of ${name}, expected them to be made before`);
}
