import type { Environment, PlatformApi } from '#cnb'
import { type Addition, append, environmentOf, type History, type Image, type ImageConfig } from '#oci'
import type { PlainStart } from './launcher-need.ts'
import { LAUNCHER, LIFECYCLE_DIRECTORY, PROCESS_DIRECTORY } from './synthetic-layers.ts'
import { timeText } from './time-text.ts'

/** What an app image says beyond its layers. */
export interface AppSettings {
  readonly appDirectory: string
  readonly layersDirectory: string
  readonly platformApi: PlatformApi
  /** Seconds since 1970. */
  readonly created: number
  readonly labels: Readonly<Record<string, string>>
  /** How the image starts: through the launcher, or as the launcher would have started its default process. */
  readonly start:
    | { readonly launcher: true; readonly defaultType?: string }
    | ({ readonly launcher: false } & PlainStart)
}

/**
 * The app image: the run image with layers on top and the configuration that the reference exporter sets (CNB platform specification, "Exporter").
 * User, ports, volumes, health check and variables of the run image stay. One line of history for each layer, all of the same time.
 */
export function appImage(runImage: Image, additions: readonly Addition[], settings: AppSettings): Image {
  const { start, labels } = settings
  const image = append(runImage, additions)
  const created = timeText(settings.created)
  const { Cmd: _command, Entrypoint: _entrypoint, ...kept } = image.config.config ?? {}
  const environment = start.launcher ? launcherEnvironment(image.config, settings) : start.environment
  const config: ImageConfig = {
    ...withoutBuildLeftovers(image.config),
    created,
    history: (image.config.history ?? []).map((line): History => ({ ...line, created })),
    config: {
      ...kept,
      Env: [...environment].map(([name, value]) => `${name}=${value}`),
      Entrypoint: start.launcher
        ? [start.defaultType ? `${PROCESS_DIRECTORY}/${start.defaultType}` : LAUNCHER]
        : start.entrypoint,
      ...(!start.launcher && start.cmd.length > 0 && { Cmd: start.cmd }),
      WorkingDir: start.launcher ? settings.appDirectory : start.workingDirectory,
      Labels: { ...kept.Labels, ...labels },
    },
  }
  return { ...image, config }
}

/** The run image's variables and those of the lifecycle, in the reference's order, before any layer has its say. */
export function baseEnvironment(
  config: ImageConfig,
  {
    layersDirectory,
    appDirectory,
    platformApi,
  }: Pick<AppSettings, 'layersDirectory' | 'appDirectory' | 'platformApi'>,
): Environment {
  return new Map([
    ...environmentOf(config),
    ['CNB_LAYERS_DIR', layersDirectory],
    ['CNB_APP_DIR', appDirectory],
    ['CNB_PLATFORM_API', platformApi],
    ['CNB_DEPRECATION_MODE', 'quiet'],
  ])
}

function launcherEnvironment(config: ImageConfig, settings: AppSettings): Environment {
  const environment = new Map(baseEnvironment(config, settings))
  const path = environment.get('PATH')
  return environment.set('PATH', [PROCESS_DIRECTORY, LIFECYCLE_DIRECTORY, ...(path ? [path] : [])].join(':'))
}

/** Keys that name a container in which a base was made; no two builds would agree on them. */
function withoutBuildLeftovers({
  container: _container,
  container_config: _config,
  ...config
}: ImageConfig): ImageConfig {
  return config as ImageConfig
}
