export { createApp } from './app.ts'
export { type Config, ConfigError, loadConfig } from './config/config.ts'
export { openStore } from './processes/open-store.ts'
