import type { Cloud } from '../cloud.ts';
import { CloudWatchBridge } from '../cloudwatch/bridge.ts';
import { renderNotification } from '../cloudwatch/render.ts';
import type { RunOptions } from '../run-types.ts';
import type { RunView } from '../view.ts';
import { type PageServer, servePage } from './page-server.ts';

/** What watches a run. */
export interface Watch {
  readonly bridge: CloudWatchBridge;
  /** Served where the cloud is kept; it outlives the run. */
  readonly page: PageServer | undefined;
  /** Stops judging; the page stands still. */
  close(): Promise<void>;
}

/** What a watch is opened with. */
export interface WatchOptions {
  readonly options: Pick<RunOptions, 'pipeline' | 'directory' | 'alarmSpeed' | 'keep'>;
  readonly cloud: Pick<Cloud, 'clients' | 'deployment'>;
  readonly view: RunView;
}

/** Opens the bridge, shows notifications as they arrive, and serves the page. */
export async function openWatch({ options, cloud, view }: WatchOptions): Promise<Watch> {
  const { pipeline, directory, alarmSpeed: speed, keep } = options;
  let page: PageServer | undefined;
  const bridge = await CloudWatchBridge.open({
    ...cloud,
    pipeline,
    directory,
    speed,
    onNotification: (notification) => {
      const text = renderNotification(notification, { nowMs: Date.now(), pageUrl: page?.url });
      if (text !== undefined) view.notice(text);
    },
  });
  if (keep) {
    page = await servePage(bridge);
    view.notice(`dashboards of this run: ${page.url}`);
  }
  return {
    bridge,
    page,
    close: async () => {
      page?.end();
      await bridge.close();
    },
  };
}
