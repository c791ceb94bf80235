/** One setting of a topic, and the value that it is to have. */
export interface SettingChange {
  readonly topic: string;
  readonly setting: string;
  readonly value: string;
}
