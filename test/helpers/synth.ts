import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { addStacks } from '../../lib/app.ts';
import { DEV, type EnvironmentConfig, PROD } from '../../lib/config/environment.ts';
import type { GenerationConfig } from '../../lib/config/generation.ts';
import type { ReplaySettings } from '../../src/core/contract.ts';
import { generationStackName } from '../../src/core/generation.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { PipelineFolder } from '../../src/project/discover.ts';
import { loadStages } from '../../src/project/stages.ts';
import { ROOT } from './sources.ts';

/** The templates of a pipeline's two stacks. */
export interface Templates {
  readonly data: Template;
  readonly compute: Template;
  /** The data stack can't be deleted before that is switched off. */
  readonly terminationProtection: boolean;
}

/** Synthesises a pipeline, with those that it feeds, without bundling its functions. */
export async function synth(
  environment: EnvironmentConfig = DEV,
  pipeline = 'flights',
  over: { readonly retention?: Partial<AnyPipeline['retention']> } = {},
): Promise<Templates> {
  const stages = await synthStages(environment, pipeline, over);
  const templates = stages.get(pipeline);
  if (templates === undefined) throw new Error(`${pipeline} was not synthesised`);
  return templates;
}

/** The template of a generation's stack. */
export async function synthGeneration(
  replay: ReplaySettings,
  { environment = DEV, pipeline = 'flights', number = 2 } = {},
): Promise<Template> {
  const folders = await loadStages(ROOT, [pipeline]);
  const generation = { pipeline, number, replay };
  return synthApp(folders, environment, generation, (app) =>
    Template.fromStack(stackOf(app, generationStackName(pipeline, environment.name, number))),
  );
}

/** The template of the generation that stands by. */
export async function synthStandby(environment: EnvironmentConfig): Promise<Template> {
  const folders = await loadStages(ROOT, ['flights']);
  const number = environment.consumer.giveUp?.standby ?? 0;
  return synthApp(folders, environment, undefined, (app) =>
    Template.fromStack(stackOf(app, generationStackName('flights', environment.name, number))),
  );
}

/** The templates of a pipeline and of those that it feeds, by name. */
export async function synthStages(
  environment: EnvironmentConfig,
  pipeline: string,
  over: Parameters<typeof synth>[2] = {},
): Promise<ReadonlyMap<string, Templates>> {
  const folders = (await loadStages(ROOT, [pipeline])).map((folder) => ({
    ...folder,
    pipeline: {
      ...folder.pipeline,
      retention: { ...folder.pipeline.retention, ...over.retention },
    },
  }));
  return synthApp(
    folders,
    environment,
    undefined,
    (app) =>
      new Map(
        folders.map(({ name }) => [name, templatesOf(app, `${name}-${environment.name}`)] as const),
      ),
  );
}

async function synthApp<Value>(
  folders: readonly PipelineFolder[],
  environment: EnvironmentConfig,
  ...[generation, read]: readonly [GenerationConfig | undefined, (app: App) => Value]
): Promise<Value> {
  const outdir = mkdtempSync(path.join(tmpdir(), 'millrace-synth-'));
  const app = new App({
    outdir,
    context: { 'aws:cdk:bundling-stacks': [] },
  });
  const target = { account: undefined, region: 'eu-west-1' };
  try {
    addStacks(app, { folders, environment, target, generation });
    return read(app);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

function stackOf(app: App, name: string): Stack {
  const found = app.node.findChild(name);
  if (!Stack.isStack(found)) throw new Error(`${name} is no stack`);
  return found;
}

function templatesOf(app: App, base: string): Templates {
  const data = stackOf(app, `${base}-data`);
  return {
    data: Template.fromStack(data),
    compute: Template.fromStack(stackOf(app, `${base}-compute`)),
    terminationProtection: data.terminationProtection === true,
  };
}

export { DEV, PROD };

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The resources of a type by their logical id. */
export function resourcesOf(template: Template, type: string): Readonly<Record<string, Resource>> {
  return template.findResources(type) as Record<string, Resource>;
}
