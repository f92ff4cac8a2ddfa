package samples.harbour;

import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;

/** Lists the ships that are in, one a line, and says which server answers. */
@WebServlet("/berths")
public class BerthsServlet extends HttpServlet {
  private static final List<String> SHIPS = List.of("Argo", "Beagle", "Fram");

  @Override
  protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
    response.setContentType("text/plain; charset=utf-8");
    response.getWriter().println(getServletContext().getServerInfo());
    SHIPS.forEach(response.getWriter()::println);
  }
}
