import type { Layer } from './graphs.ts';

/** The name of an alarm, which is the subject of its e-mails: `flights-prod-QuarantineRate`. */
export function alarmName(service: string, id: string): string {
  return `${service}-${id}`;
}

/** The name of a layer's dashboard, or of the overview: `flights-prod-storage`, `flights-prod`. */
export function dashboardName(service: string, layer?: Layer): string {
  return layer === undefined ? service : `${service}-${layer}`;
}
