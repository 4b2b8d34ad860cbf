import type { BatchDerived } from '../batch/derived.ts';
import { targetsOf } from '../core/pipeline/outputs.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { PipelineFolder } from '../project/discover.ts';
import { FedStage, type FedStageOptions, type StageVerdict } from './fed-stage.ts';

/** How far a stage is. */
export interface StageProgress {
  readonly pipeline: string;
  readonly processed: number;
}

/** All pipelines that the pipeline of a local run feeds, directly or by way of others. */
export class FedStages {
  readonly #folders: readonly PipelineFolder[];
  readonly #stages: readonly FedStage[];

  private constructor(folders: readonly PipelineFolder[], stages: readonly FedStage[]) {
    this.#folders = folders;
    this.#stages = stages;
  }

  /** Starts them; they end with the signal. @param folders without the run's own pipeline */
  static async start(
    folders: readonly PipelineFolder[],
    options: Omit<FedStageOptions, 'folder'>,
  ): Promise<FedStages> {
    const stages: FedStage[] = [];
    for (const folder of folders) stages.push(await FedStage.start({ ...options, folder }));
    return new FedStages(folders, stages);
  }

  progress(): readonly StageProgress[] {
    return this.#stages.map((stage) => ({
      pipeline: stage.name,
      processed: stage.progress().processed,
    }));
  }

  /** Waits until everything is finished; the run's own pipeline is. */
  async finish(): Promise<void> {
    // What one stage finishes, another may have been sent: after as many rounds as stages nothing can come.
    for (const _round of this.#stages) {
      for (const stage of this.#stages) await stage.finish();
    }
  }

  /** @param first the run's own pipeline and what its batch computation derives */
  async verify(first: Source): Promise<readonly StageVerdict[]> {
    const fed = this.#stages.map(
      (stage, index): Source => ({
        pipeline: this.#folders[index]?.pipeline ?? first.pipeline,
        derived: stage.compute().derived,
      }),
    );
    const verdicts = this.#stages.map((stage) => {
      const feeders = [first, ...fed].filter(({ pipeline }) =>
        targetsOf(pipeline).includes(stage.name),
      );
      return stage.verify({
        feeders: feeders.map(({ pipeline }) => pipeline.name),
        derived: feeders.flatMap((source) => fedTo(stage.name, source)),
      });
    });
    return Promise.all(verdicts);
  }
}

/** A pipeline and what it derives. */
interface Source {
  readonly pipeline: AnyPipeline;
  readonly derived: readonly BatchDerived[];
}

function fedTo(target: string, { pipeline, derived }: Source): readonly BatchDerived[] {
  return derived.filter(({ output }) => pipeline.outputs[output]?.to === target);
}
