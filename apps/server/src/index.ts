export { createApp } from './app.ts'
export { type Config, ConfigError, loadConfig } from './config.ts'
export { openStore } from './open-store.ts'
