import { type Detect, pass } from '#sdk'

/** Takes part wherever a Java application is built; if it is a Spring Boot one is seen when it is there. */
export const detect: Detect = () =>
  pass({ provides: ['spring-boot'], requires: ['jvm-application', 'spring-boot'] })
