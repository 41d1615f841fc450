// cuDNN's plans for every convolution of every network, made for a device that need not be there.
#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <tuple>

#include "kernels/convolution_plan.h"
#include "kernels/error.h"
#include "kernels/fused_convolution_plan.h"
#include "nets/convolutions.h"

namespace retort {
namespace {

const ConvolutionProblem kSmall{{1, 8, 8, 8, 8, 3, 3, 1, 1}, ConvolutionPass::forward, Precision::fp32};

std::string description(const std::string& name) {
  std::ifstream file(std::string(RETORT_TEST_DIR) + "/devices/" + name);
  std::ostringstream out;
  out << file.rdbuf();
  REQUIRE(!out.str().empty());
  return out.str();
}

bool has_cuda() {
  try {
    cuda::plan_convolution(kSmall, {}, description("h200.json"));
    return true;
  } catch (const Error& error) {
    if (std::string(error.what()).find("built without CUDA") == std::string::npos) throw;
    MESSAGE("built without CUDA: no plans are made");
    return false;
  }
}

/// Every shape once: networks share many.
std::set<Conv2dShape> shapes_of_all_networks(int batch) {
  std::set<Conv2dShape> shapes;
  for (const std::string& name : network_names()) {
    const bool lenet = name.rfind("lenet", 0) == 0;
    const auto network = make_network(name, lenet ? ImageFormat{28, 28, 1} : ImageFormat{}, 10);
    for (const Conv2dShape& shape : convolutions_of(*network, batch)) shapes.insert(shape);
  }
  return shapes;
}

/// Bytes of the operands.
double operands(const Conv2dShape& s) {
  const double x = 1.0 * s.batch * s.height * s.width * s.in_channels;
  const double y = 1.0 * s.batch * s.out_height() * s.out_width() * s.out_channels;
  const double weight = 1.0 * s.out_channels * s.kernel_h * s.kernel_w * s.in_channels;
  return (x + y + weight) * static_cast<double>(size_of(s.dtype));
}

void check_plans(int batch) {
  if (!has_cuda()) return;
  const std::string device = description("h200.json");
  const std::set<Conv2dShape> shapes = shapes_of_all_networks(batch);
  CHECK(shapes.size() > 30);
  for (Conv2dShape shape : shapes) {
    for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
      shape.dtype = precision == Precision::bf16 ? DType::bf16 : DType::f32;
      for (const ConvolutionPass pass : convolution_passes) {
        CAPTURE(shape.height);
        CAPTURE(shape.in_channels);
        CAPTURE(shape.out_channels);
        CAPTURE(shape.kernel_h);
        CAPTURE(shape.stride);
        CAPTURE(static_cast<int>(precision));
        CAPTURE(static_cast<int>(pass));
        ConvolutionPlanReport plan;
        REQUIRE_NOTHROW(plan = cuda::plan_convolution({shape, pass, precision}, {}, device));
        CHECK(plan.allowed >= 1);
        if (precision == Precision::fp32) CHECK(plan.notes.find("tensor cores") == std::string::npos);
        CHECK(static_cast<double>(plan.workspace_bytes) <= 16.0 * (1 << 20) + 3 * operands(shape));
      }
    }
  }
}

TEST_CASE("plans: every convolution of every network has one for the H200, batch 64") {
  check_plans(64);
}
TEST_CASE("plans: batch 128") {
  check_plans(128);
}
TEST_CASE("plans: batch 512") {
  check_plans(512);
}
TEST_CASE("plans: a partial batch of 37") {
  check_plans(37);
}

TEST_CASE("plans: every convolution with bias, residual and ReLU in one pass, batch 64") {
  if (!has_cuda()) return;
  const std::string device = description("h200.json");
  int asked = 0, planned = 0;
  for (Conv2dShape shape : shapes_of_all_networks(64)) {
    for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
      shape.dtype = precision == Precision::bf16 ? DType::bf16 : DType::f32;
      for (const auto& [residual, relu] : {std::pair(false, true), std::pair(false, false), std::pair(true, true)}) {
        const auto plan = cuda::plan_fused_convolution({shape, residual, relu}, precision, device);
        asked += 1;
        planned += plan.has_value() ? 1 : 0;
        if (plan && precision == Precision::fp32) CHECK(plan->notes.find("tensor cores") == std::string::npos);
        if (!plan) {
          MESSAGE("no plan: " << shape.in_channels << " to " << shape.out_channels << " channels, " << shape.height
                              << "x" << shape.width << ", kernel " << shape.kernel_h << ", stride " << shape.stride
                              << ", precision " << static_cast<int>(precision) << (residual ? ", residual" : "")
                              << (relu ? ", ReLU" : ""));
        }
      }
    }
  }
  MESSAGE(planned << " of " << asked << " fused convolutions have a plan for the H200");
  CHECK(planned > asked / 2);
}

TEST_CASE("plans: what is no description of a device is refused") {
  if (!has_cuda()) return;
  CHECK_THROWS_AS(cuda::plan_convolution(kSmall, {}, "{\"deviceVer\":"), Error);
}

TEST_CASE("plans: each that is offered can be made anew from its name, and is the same") {
  if (!has_cuda()) return;
  const std::string device = description("h200.json");
  const auto network = make_network("resnet8", {}, 10);
  std::vector<Conv2dShape> shapes = convolutions_of(*network, 128);
  shapes.resize(4);  // each takes a while
  for (Conv2dShape shape : shapes) {
    for (const Precision precision : {Precision::fp32, Precision::tf32, Precision::bf16}) {
      shape.dtype = precision == Precision::bf16 ? DType::bf16 : DType::f32;
      for (const ConvolutionPass pass : convolution_passes) {
        const ConvolutionProblem problem{shape, pass, precision};
        CAPTURE(describe(problem));
        const auto offered = cuda::plans_offered(problem, {}, device);
        REQUIRE(!offered.empty());
        CHECK(offered.front().plan == cuda::plan_convolution(problem, {}, device).plan);
        for (const ConvolutionPlanReport& plan : {offered.front(), offered.back()}) {
          CAPTURE(plan.plan);
          const auto again = cuda::plan_convolution(problem, {}, device, plan.plan);
          CHECK(again.plan == plan.plan);
          CHECK(again.engine == plan.engine);
          CHECK(again.notes == plan.notes);
          CHECK(again.workspace_bytes == plan.workspace_bytes);
        }
      }
    }
  }
}

TEST_CASE("plans: what is no plan's name, or no plan of this convolution, is refused") {
  if (!has_cuda()) return;
  const std::string device = description("h200.json");
  for (const std::string name : {"eng", "eng1_", "eng1_k2", "eng1_k2=x", "fast", "eng99999", "eng0_k2=1000000", "eng-1",
                                 "eng0_k999=1", "eng99999999999999999999"}) {
    CAPTURE(name);
    CHECK_THROWS_AS(cuda::plan_convolution(kSmall, {}, device, name), Error);
  }
}

TEST_CASE("plans: those that do not give the same bits each time are there only if asked for") {
  if (!has_cuda()) return;
  const std::string device = description("h200.json");
  const ConvolutionProblem problem{
      {128, 32, 32, 16, 16, 3, 3, 1, 1}, ConvolutionPass::backward_filter, Precision::fp32};
  PlanRules fast;
  fast.deterministic = false;
  const auto steady = cuda::plans_offered(problem, {}, device), all = cuda::plans_offered(problem, fast, device);
  CHECK(all.size() > steady.size());
  CHECK(cuda::plan_convolution(problem, fast, device).allowed > cuda::plan_convolution(problem, {}, device).allowed);
  std::set<std::string> names;
  for (const ConvolutionPlanReport& plan : steady) names.insert(plan.plan);
  for (const ConvolutionPlanReport& plan : all) {
    if (names.count(plan.plan) != 0) continue;
    CHECK_NOTHROW(cuda::plan_convolution(problem, fast, device, plan.plan));
    CHECK_THROWS_AS(cuda::plan_convolution(problem, {}, device, plan.plan), Error);
  }
}

TEST_CASE("nets: the convolutions of a network, each once, and nothing allocated for them") {
  const auto network = make_network("resnet8", {}, 10);
  const std::vector<Conv2dShape> shapes = convolutions_of(*network, 64);
  REQUIRE(shapes.size() == 8);  // stem, stage 1, and in stages 2 and 3 a strided one, a plain one, a shortcut
  CHECK(shapes[0] == Conv2dShape{64, 32, 32, 3, 16, 3, 3, 1, 1});
  CHECK(shapes[1] == Conv2dShape{64, 32, 32, 16, 16, 3, 3, 1, 1});
  CHECK_FALSE(network->parameters().materialised());
}

}  // namespace
}  // namespace retort
