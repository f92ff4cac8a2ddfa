package samples.greeting;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import reactor.core.publisher.Mono;

/** Answers {@code GET /?name=…} with a greeting; the word comes from the configuration. */
@RestController
public class GreetingController {
  private final String word;

  public GreetingController(@Value("${greeting.word}") String word) {
    this.word = word;
  }

  @GetMapping("/")
  public Mono<Greeting> greet(@RequestParam(name = "name", defaultValue = "world") String name) {
    return Mono.just(new Greeting(word + ", " + name + "!", Runtime.version().feature()));
  }

  /** What is said, and by which release of Java. */
  public record Greeting(String greeting, int java) {}
}
