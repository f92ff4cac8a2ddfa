package samples.logbook;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

/** Serves a log book that is kept in Markdown as a page of HTML. */
public final class Logbook {
  private Logbook() {}

  public static void main(String[] arguments) throws IOException {
    int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
    byte[] page = page().getBytes(StandardCharsets.UTF_8);
    HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
    server.createContext("/", exchange -> {
      try (exchange) {
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(200, page.length);
        exchange.getResponseBody().write(page);
      }
    });
    server.start();
    System.out.println("The log book lies open on port " + port);
  }

  private static String page() throws IOException {
    try (InputStream text = Objects.requireNonNull(Logbook.class.getResourceAsStream("/logbook.md"))) {
      String markdown = new String(text.readAllBytes(), StandardCharsets.UTF_8);
      String body = HtmlRenderer.builder().build().render(Parser.builder().build().parse(markdown));
      return "<!doctype html><meta charset=\"utf-8\"><title>Log book</title>\n" + body;
    }
  }
}
