#include "distill/report/page.h"

#include <map>
#include <vector>

#include "distill/report/data_uri.h"
#include "kernels/error.h"

namespace retort {
namespace {

/// Replaces each {{name}} of the template; what is put in its place is not looked at again.
std::string filled(std::string_view page, const std::map<std::string, std::string_view>& parts) {
  std::string out;
  while (true) {
    const std::size_t open = page.find("{{");
    out += page.substr(0, open);
    if (open == std::string_view::npos) return out;
    const std::size_t close = page.find("}}", open);
    RETORT_CHECK_AS(ErrorKind::internal, close != std::string_view::npos, "page.html: '{{' without '}}'");
    const std::string name(page.substr(open + 2, close - open - 2));
    RETORT_CHECK_AS(ErrorKind::internal, parts.count(name) == 1, "page.html: no part '", name, "'");
    out += parts.at(name);
    page.remove_prefix(close + 2);
  }
}

/// As a Content-Security-Policy names a script or a style that may be used.
std::string source(const EmbeddedFile& file) {
  std::vector<std::uint8_t> digest;
  for (std::size_t i = 0; i + 1 < file.sha256.size(); i += 2) {
    digest.push_back(static_cast<std::uint8_t>(std::stoi(std::string(file.sha256.substr(i, 2)), nullptr, 16)));
  }
  return " 'sha256-" + base64(digest) + "'";
}

}  // namespace

std::string script_json(const nlohmann::ordered_json& data) {
  const std::string json = data.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    // Outside of strings JSON has none of these, and inside they may be written so.
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string report_page(const nlohmann::ordered_json& data, const EmbeddedFiles& parts) {
  RETORT_CHECK_AS(
      ErrorKind::output, parts.count("chart.min.js") == 1,
      "this program was built without Chart.js, which draws a report's plots: install Debian's libjs-chart.js "
      "and build again");
  const EmbeddedFile &chart = parts.at("chart.min.js"), &script = parts.at("page.js"), &style = parts.at("page.css");
  // Nothing but these two scripts and this style is used by a browser, whatever else were to get into the page.
  const std::string policy = "default-src 'none'; script-src" + source(chart) + source(script) + "; style-src" +
                             source(style) + "; img-src data:; base-uri 'none'; form-action 'none'";
  for (const EmbeddedFile* part : {&chart, &script}) {
    RETORT_CHECK_AS(ErrorKind::internal, part->text.find("</script") == std::string_view::npos, "a script ends itself");
  }
  const std::string json = script_json(data);
  return filled(
      parts.at("page.html").text,
      {{"policy", policy}, {"style", style.text}, {"data", json}, {"chart", chart.text}, {"script", script.text}});
}

}  // namespace retort
