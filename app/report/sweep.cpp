#include "app/report/sweep.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>

#include "app/report/escape.h"

namespace app::report {

namespace {

std::string formatted(const char* format, double number) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), format, number);
    return text.data();
}

std::string padded_left(std::string text, std::size_t width) {
    if (text.size() < width) text.insert(0, width - text.size(), ' ');
    return text;
}

double estimate(const Rate& rate) {
    return rate.estimate.value_or(0);
}

std::uint64_t count_of(const SweepPoint& point, const std::string& signature) {
    const auto found = point.by_signature.find(signature);
    return found == point.by_signature.end() ? 0 : found->second;
}

std::string ways(const SweepPoint& point) {
    std::string text;
    for (const auto& [signature, count] : point.by_signature)
        text += (text.empty() ? "" : ", ") + signature + " " + std::to_string(count);
    return text;
}

// ---- the plot -----------------------------------------------------------------------------------

constexpr double width = 720, height = 420, left_margin = 70, right_margin = 24, top_margin = 48,
                 bottom_margin = 64;
constexpr std::array colours{"#1b5e9b", "#b5451b", "#3d7d2d", "#6b3fa0", "#8a6d00"};

/// 1, 2 or 5 times a power of ten, not below.
double round_up(double value) {
    if (value <= 0) return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= value * (1 - 1e-9)) return factor * power;
    return 10 * power;
}

class Plot {
  public:
    explicit Plot(const Sweep& sweep) : sweep_(sweep) {
        double highest = 0;
        for (const SweepPoint& point : sweep.points) {
            highest = std::max(highest, point.rate.upper);
            last_ns_ = std::max(last_ns_, static_cast<double>(point.delay_ns));
        }
        highest_ = std::min(1.0, round_up(highest));
        if (last_ns_ == 0) last_ns_ = 1;
    }

    std::string text() {
        svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 420\" "
               "font-family=\"sans-serif\" font-size=\"12\">\n"
               "<rect width=\"720\" height=\"420\" fill=\"white\"/>\n";
        label(left_margin, 22, "start",
              sweep_.title + ": probability of a failure, by a delay in " + sweep_.function, 14);
        axes();
        const auto signatures = sweep_.signatures();
        line([](const SweepPoint& point) { return estimate(point.rate); }, colours[0],
             "any failure", 0);
        for (const SweepPoint& point : sweep_.points)
            whisker(point);
        for (std::size_t i = 0; signatures.size() > 1 && i < signatures.size(); ++i)
            line(
                [&](const SweepPoint& point) {
                    return static_cast<double>(count_of(point, signatures[i])) /
                           static_cast<double>(std::max<std::uint64_t>(1, point.rate.executions));
                },
                colours[1 + i % (colours.size() - 1)], signatures[i], i + 1);
        return svg_ + "</svg>\n";
    }

  private:
    static std::string number(double value) { return formatted("%.1f", value); }
    double x(double ns) const {
        return left_margin + ns / last_ns_ * (width - left_margin - right_margin);
    }
    double y(double share) const {
        return height - bottom_margin - share / highest_ * (height - top_margin - bottom_margin);
    }
    void stroke(double x1, double y1, double x2, double y2, const std::string& colour) {
        svg_ += "<path d=\"M" + number(x1) + " " + number(y1) + "L" + number(x2) + " " +
                number(y2) + "\" stroke=\"" + colour + "\" fill=\"none\"/>\n";
    }
    void label(double at_x, double at_y, const char* anchor, const std::string& text,
               int size = 12) {
        svg_ += "<text x=\"" + number(at_x) + "\" y=\"" + number(at_y) + "\" text-anchor=\"" +
                anchor + "\" font-size=\"" + std::to_string(size) + "\">" + in_xml(text) +
                "</text>\n";
    }
    void axes() {
        constexpr int ticks = 5;
        for (int i = 0; i <= ticks; ++i) {
            const double share = highest_ * i / ticks, ns = last_ns_ * i / ticks;
            stroke(left_margin, y(share), width - right_margin, y(share), i == 0 ? "#444" : "#ddd");
            label(left_margin - 8, y(share) + 4, "end", formatted("%.3g", share));
            stroke(x(ns), height - bottom_margin, x(ns), height - bottom_margin + 5, "#444");
            label(x(ns), height - bottom_margin + 20, "middle",
                  delay_text(static_cast<std::uint64_t>(ns)));
        }
        stroke(left_margin, top_margin, left_margin, height - bottom_margin, "#444");
        label((left_margin + width - right_margin) / 2, height - bottom_margin + 42, "middle",
              "added delay");
    }
    template <class Share>
    void line(const Share& share, const std::string& colour, const std::string& name,
              std::size_t place) {
        std::string path;
        for (const SweepPoint& point : sweep_.points)
            path += (path.empty() ? "M" : "L") + number(x(static_cast<double>(point.delay_ns))) +
                    " " + number(y(share(point)));
        svg_ += "<path d=\"" + path + "\" stroke=\"" + colour +
                "\" stroke-width=\"2\" fill=\"none\"" +
                (place == 0 ? "" : " stroke-dasharray=\"5 3\"") + "/>\n";
        const double at = left_margin + 150.0 * static_cast<double>(place);
        stroke(at, 38, at + 22, 38, colour);
        label(at + 28, 42, "start", name);
    }
    void whisker(const SweepPoint& point) {
        const double at = x(static_cast<double>(point.delay_ns));
        stroke(at, y(std::min(point.rate.lower, highest_)), at,
               y(std::min(point.rate.upper, highest_)), colours[0]);
    }

    const Sweep& sweep_;
    double last_ns_ = 0, highest_ = 1;
    std::string svg_;
};

}  // namespace

std::vector<std::string> Sweep::signatures() const {
    std::set<std::string> all;
    for (const SweepPoint& point : points)
        for (const auto& [signature, count] : point.by_signature)
            all.insert(signature);
    return {all.begin(), all.end()};
}

std::string delay_text(std::uint64_t ns) {
    struct Unit {
        std::uint64_t factor;
        const char* name;
    };
    for (const Unit& unit : {Unit{1'000'000'000, "s"}, Unit{1'000'000, "ms"}, Unit{1'000, "us"}})
        if (ns >= unit.factor)
            return formatted("%.4g", static_cast<double>(ns) / static_cast<double>(unit.factor)) +
                   unit.name;
    return std::to_string(ns) + "ns";
}

std::string sweep_table(const Sweep& sweep) {
    std::string text = "     delay   failed        of  probability  95% confidence      how\n";
    for (const SweepPoint& point : sweep.points)
        text += padded_left(delay_text(point.delay_ns), 10) +
                padded_left(std::to_string(point.rate.failures), 9) +
                padded_left(std::to_string(point.rate.executions), 10) +
                padded_left(formatted("%.5f", estimate(point.rate)), 13) + "  " +
                formatted("%.5f", point.rate.lower) + ".." + formatted("%.5f", point.rate.upper) +
                (point.by_signature.empty() ? "" : "    " + ways(point)) + "\n";
    return text;
}

std::string sweep_svg(const Sweep& sweep) {
    return Plot(sweep).text();
}

}  // namespace app::report
