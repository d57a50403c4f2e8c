// SPDX-License-Identifier: Apache-2.0
#include "dd/data/named_sets.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dd/core/files.h"
#include "dd/core/json.h"
#include "support/hostile_bytes.h"
#include "support/set_maker.h"
#include "support/temporary_folder.h"

namespace {

namespace fs = std::filesystem;
using dd::test::expect_input_error;
using dd::test::input_error;
using dd::test::MatWriter;
using dd::test::write_jpeg;

/// A miniature of a set's true layout, in its true file formats.
class NamedSetTest : public testing::Test {
 protected:
  const fs::path& root() const { return folder_.path(); }
  void picture(const std::string& path) const { write_jpeg(root() / path); }
  void text(const std::string& path, const std::string& content) const {
    dd::test::put(root() / path, content);
  }
  std::unique_ptr<dd::Dataset> open(const std::string& set, const std::string& split) const {
    return dd::open_dataset(dd::parse_data_spec(set + ":" + root().string()), split);
  }
  std::string error(const std::string& set, const std::string& split = "train") const {
    return input_error([&] { open(set, split); });
  }
  /// "class name < id" of every image of a split; each image was decoded.
  std::set<std::string> images(const std::string& set, const std::string& split) const {
    const auto data = open(set, split);
    std::set<std::string> result;
    for (std::int64_t i = 0; i < data->size(); ++i) {
      EXPECT_FALSE(data->image(i).empty());
      result.insert(data->class_names()[static_cast<std::size_t>(data->label(i))] + " < " +
                    data->id(i));
    }
    return result;
  }
  /// CoOp's split file with one image a split.
  void coop(const std::string& file, const std::string& train, const std::string& val,
            const std::string& test) const {
    const auto entries = [](const std::string& path, int label, const char* name) {
      return dd::Json::array({dd::Json::array({path, label, name})});
    };
    dd::write_json(root() / file, {{"train", entries(train, 0, "first")},
                                   {"val", entries(val, 1, "second")},
                                   {"test", entries(test, 0, "first")}});
  }

 private:
  const dd::test::TemporaryFolder folder_;
};

using Images = std::set<std::string>;

TEST(NamedSets, ClassListsAreCompleteAndHaveNamesOfTheirOwn) {
  const std::map<std::string, std::size_t> counts{
      {"imagenet", 1000},     {"caltech101", 100},    {"oxford-pets", 37},
      {"stanford-cars", 196}, {"fgvc-aircraft", 100}, {"food101", 101},
      {"flowers102", 102},    {"eurosat", 10},        {"dtd", 47},
      {"sun397", 397},        {"cifar10", 10},        {"cifar100", 100},
      {"fashion-mnist", 10}};
  ASSERT_EQ(dd::named_sets().size(), counts.size());
  for (const dd::NamedSet& set : dd::named_sets()) {
    const std::vector<std::string> names = set.class_names();
    EXPECT_EQ(names.size(), counts.at(set.name)) << set.name;
    EXPECT_EQ(Images(names.begin(), names.end()).size(), names.size()) << set.name;
    EXPECT_FALSE(names.front().empty() || names.back().empty()) << set.name;
  }
}

TEST(NamedSets, NamesAreCoOps) {
  const auto has = [](const char* set, std::size_t label, const char* name) {
    EXPECT_EQ(dd::find_named_set(set)->class_names().at(label), name) << set;
  };
  has("imagenet", 0, "tench");
  has("imagenet", 134, "crane bird");
  has("imagenet", 517, "construction crane");
  has("imagenet", 999, "toilet paper");
  has("caltech101", 0, "face");
  has("caltech101", 99, "yin_yang");
  has("oxford-pets", 1, "american_bulldog");
  has("stanford-cars", 0, "2000 AM General Hummer SUV");
  has("stanford-cars", 195, "2012 smart fortwo Convertible");
  has("fgvc-aircraft", 72, "F-16A/B");
  has("flowers102", 77, "lotus lotus");
  has("eurosat", 9, "Sea or Lake");
  has("sun397", 9, "indoor apse");
  has("sun397", 396, "youth_hostel");
  EXPECT_EQ(dd::imagenet_classes().at(134).synset, "n02012849");
}

TEST(NamedSets, DomainWords) {
  const std::map<std::string, std::string> words{
      {"oxford-pets", "pet"},   {"fgvc-aircraft", "aircraft"},
      {"stanford-cars", "car"}, {"eurosat", "satellite"},
      {"dtd", "texture"},       {"flowers102", "flower"},
      {"food101", "food"},      {"sun397", "scene"},
      {"imagenet", ""}};
  for (const auto& [set, word] : words) EXPECT_EQ(dd::domain_word({set, "/x"}), word);
  EXPECT_EQ(dd::domain_word({"folder", "/x"}), std::nullopt);
}

TEST_F(NamedSetTest, BrokenLinksAreNotTakenForNothing) {
  const auto link = [&](const char* path) { fs::create_symlink("gone", root() / path); };
  picture("2750/Forest/Forest_1.jpg");
  EXPECT_EQ(open("eurosat", "all")->size(), 1);
  link("2750/River");
  expect_input_error(error("eurosat", "all"), "2750/River to gone: it leads nowhere");
  fs::remove(root() / "2750/River");
  link("split_zhou_EuroSAT.json");
  expect_input_error(error("eurosat", "all"), "split_zhou_EuroSAT.json to gone");
  picture("train/n01440764/n01440764_1.JPEG");
  link("val");
  expect_input_error(error("imagenet"), "val to gone: it leads nowhere");
}

TEST_F(NamedSetTest, ImageNetByFolders) {
  for (const char* path : {"train/n01443537/n01443537_1.JPEG", "train/n01440764/n01440764_1.JPEG",
                           "val/n01440764/ILSVRC2012_val_00000293.JPEG"}) {
    picture(path);
  }
  EXPECT_EQ(images("imagenet", "train"), (Images{"tench < train/n01440764/n01440764_1.JPEG",
                                                 "goldfish < train/n01443537/n01443537_1.JPEG"}));
  EXPECT_EQ(images("imagenet", "test"),
            (Images{"tench < val/n01440764/ILSVRC2012_val_00000293.JPEG"}));
  for (int i = 2; i < 8; ++i) picture(dd::cat("train/n01440764/n01440764_", i, ".JPEG"));
  EXPECT_EQ(images("imagenet", "val").size(), 1U);
  text("classnames.txt", "n01440764 my tench\nn01443537 my fish\n");
  EXPECT_EQ(open("imagenet", "train")->class_names(),
            (std::vector<std::string>{"my tench", "my fish"}));
}

TEST_F(NamedSetTest, ImageNetNamesAreUniqueWhereCoOpsAreNot) {
  picture("images/train/n03773504/a.JPEG");
  picture("images/train/n04008634/a.JPEG");
  picture("images/train/n09999999/a.JPEG");
  text("classnames.txt", "n03773504 missile\nn04008634 missile\n");
  text("LOC_synset_mapping.txt", "n09999999 new thing, other name\nn03773504 rocket\n");
  EXPECT_EQ(open("imagenet", "train")->class_names(),
            (std::vector<std::string>{"missile", "projectile missile", "new thing"}));
}

TEST_F(NamedSetTest, ImageNetWithFlatValidationImages) {
  picture("ILSVRC/Data/CLS-LOC/train/n01440764/1.JPEG");
  picture("ILSVRC/Data/CLS-LOC/train/n01443537/1.JPEG");
  for (int i = 1; i <= 2; ++i) {
    picture(dd::cat("ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_0000000", i, ".JPEG"));
  }
  expect_input_error(error("imagenet", "test"), "LOC_val_solution.csv");
  text("LOC_val_solution.csv",
       "ImageId,PredictionString\nILSVRC2012_val_00000001,n01443537 85 1 499 272 \n"
       "ILSVRC2012_val_00000002,n01440764 1 2 3 4 n01440764 5 6 7 8 \n");
  const Images expected{"goldfish < val/ILSVRC2012_val_00000001.JPEG",
                        "tench < val/ILSVRC2012_val_00000002.JPEG"};
  EXPECT_EQ(images("imagenet", "test"), expected);
  fs::remove(root() / "LOC_val_solution.csv");
  MatWriter(root() / "ILSVRC2012_devkit_t12/data/meta.mat")
      .add_structs("synsets", "WNID", "ILSVRC2012_ID", {{"n01443537", 2}, {"n01440764", 1}});
  text("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "2\n1\n");
  EXPECT_EQ(images("imagenet", "test"), expected);
  text("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "2\n1001\n");
  expect_input_error(error("imagenet", "test"), "line 2: there is no class 1001");
}

TEST_F(NamedSetTest, Caltech101) {
  expect_input_error(error("caltech101"), "101_ObjectCategories");
  for (const char* folder : {"BACKGROUND_Google", "Faces", "Faces_easy", "accordion"}) {
    for (int i = 0; i < 10; ++i) {
      picture(dd::cat("caltech-101/101_ObjectCategories/", folder, "/image_", 1000 + i, ".jpg"));
    }
  }
  EXPECT_EQ(open("caltech101", "all")->size(), 20);
  EXPECT_EQ(images("caltech101", "train").size(), 10U);
  EXPECT_EQ(images("caltech101", "val").size(), 4U);
  EXPECT_EQ(images("caltech101", "test").size(), 6U);
  EXPECT_TRUE(images("caltech101", "train")
                  .begin()
                  ->starts_with("accordion < 101_ObjectCategories/accordion/image_10"));
  coop("split_zhou_Caltech101.json", "Faces/image_1000.jpg", "Faces_easy/image_1001.jpg",
       "accordion/image_1002.jpg");
  EXPECT_EQ(images("caltech101", "val"),
            (Images{"second < 101_ObjectCategories/Faces_easy/image_1001.jpg"}));
  EXPECT_EQ(open("caltech101", "train")->num_classes(), 2);
}

TEST_F(NamedSetTest, OxfordPets) {
  for (const char* name : {"Abyssinian_1", "Abyssinian_2", "american_bulldog_7"}) {
    picture(dd::cat("images/", name, ".jpg"));
  }
  expect_input_error(error("oxford-pets"), "trainval.txt");
  text("annotations/trainval.txt", "Abyssinian_1 1 1 1\namerican_bulldog_7 2 2 1\n");
  text("annotations/test.txt", "#Image CLASS-ID SPECIES BREED\nAbyssinian_2 1 1 1\n");
  EXPECT_EQ(images("oxford-pets", "train"),
            (Images{"abyssinian < images/Abyssinian_1.jpg",
                    "american_bulldog < images/american_bulldog_7.jpg"}));
  EXPECT_EQ(images("oxford-pets", "test"), (Images{"abyssinian < images/Abyssinian_2.jpg"}));
  EXPECT_EQ(open("oxford-pets", "test")->num_classes(), 37);
  text("annotations/test.txt", "Abyssinian_2 2 1 1\n");
  expect_input_error(error("oxford-pets"), "test.txt, line 1");
  coop("split_zhou_OxfordPets.json", "Abyssinian_1.jpg", "american_bulldog_7.jpg",
       "Abyssinian_2.jpg");
  EXPECT_EQ(images("oxford-pets", "val"), (Images{"second < images/american_bulldog_7.jpg"}));
}

TEST_F(NamedSetTest, StanfordCars) {
  for (const char* path : {"cars_train/00001.jpg", "cars_train/00002.jpg", "cars_test/00001.jpg"}) {
    picture(path);
  }
  expect_input_error(error("stanford-cars"), "cars_meta.mat");
  MatWriter(root() / "devkit/cars_meta.mat")
      .add_texts("class_names", {"AM General Hummer SUV 2000", "Acura RL Sedan 2012"});
  MatWriter(root() / "devkit/cars_train_annos.mat")
      .add_structs("annotations", "fname", "class", {{"00001.jpg", 2}, {"00002.jpg", 1}});
  expect_input_error(error("stanford-cars"), "cars_test_annos_withlabels.mat");
  MatWriter(root() / "cars_test_annos_withlabels.mat")
      .add_structs("annotations", "fname", "class", {{"00001.jpg", 1}});
  EXPECT_EQ(images("stanford-cars", "train"),
            (Images{"2012 Acura RL Sedan < cars_train/00001.jpg",
                    "2000 AM General Hummer SUV < cars_train/00002.jpg"}));
  EXPECT_EQ(images("stanford-cars", "test"),
            (Images{"2000 AM General Hummer SUV < cars_test/00001.jpg"}));
  MatWriter(root() / "cars_test_annos_withlabels.mat")
      .add_structs("annotations", "fname", "class", {{"00001.jpg", 3}});
  expect_input_error(error("stanford-cars"), "there are 2 classes");
  coop("split_zhou_StanfordCars.json", "cars_train/00001.jpg", "cars_train/00002.jpg",
       "cars_test/00001.jpg");
  EXPECT_EQ(images("stanford-cars", "train"), (Images{"first < cars_train/00001.jpg"}));
}

TEST_F(NamedSetTest, FgvcAircraft) {
  for (const char* name : {"0034309", "0056978", "0062765"}) {
    picture(dd::cat("data/images/", name, ".jpg"));
  }
  text("data/images_variant_train.txt", "0034309 BAE 146-200\n");
  text("data/images_variant_val.txt", "0056978 F/A-18\n");
  expect_input_error(error("fgvc-aircraft"), "images_variant_test.txt");
  text("data/images_variant_test.txt", "0062765 707-320\n");
  EXPECT_EQ(images("fgvc-aircraft", "train"), (Images{"BAE 146-200 < images/0034309.jpg"}));
  EXPECT_EQ(images("fgvc-aircraft", "val"), (Images{"F/A-18 < images/0056978.jpg"}));
  EXPECT_EQ(images("fgvc-aircraft", "test"), (Images{"707-320 < images/0062765.jpg"}));
  text("data/images_variant_test.txt", "0062765 Zeppelin\n");
  expect_input_error(error("fgvc-aircraft"), "Zeppelin");
}

TEST_F(NamedSetTest, Food101) {
  for (const char* path : {"apple_pie/1", "apple_pie/2", "waffles/3"}) {
    picture(dd::cat("food-101/images/", path, ".jpg"));
  }
  expect_input_error(error("food101"), "train.json");
  text("food-101/meta/train.json",
       "{\"apple_pie\": [\"apple_pie/1\"], \"waffles\": [\"waffles/3\"]}");
  text("food-101/meta/test.txt", "apple_pie/2\n");
  EXPECT_EQ(images("food101", "train"),
            (Images{"apple_pie < images/apple_pie/1.jpg", "waffles < images/waffles/3.jpg"}));
  EXPECT_EQ(images("food101", "test"), (Images{"apple_pie < images/apple_pie/2.jpg"}));
  EXPECT_EQ(open("food101", "test")->num_classes(), 101);
  text("food-101/meta/test.txt", "../../../etc/passwd\n");
  expect_input_error(error("food101"), "test.txt, line 1");
}

TEST_F(NamedSetTest, Flowers102) {
  for (int i = 1; i <= 4; ++i) picture(dd::cat("jpg/image_0000", i, ".jpg"));
  expect_input_error(error("flowers102"), "imagelabels.mat");
  MatWriter(root() / "imagelabels.mat").add_numbers("labels", {77, 77, 1, 102});
  {
    MatWriter ids(root() / "setid.mat");
    ids.add_numbers("trnid", {1});
    ids.add_numbers("valid", {2});
    ids.add_numbers("tstid", {4, 3});
  }
  EXPECT_EQ(images("flowers102", "train"), (Images{"passion flower < jpg/image_00001.jpg"}));
  EXPECT_EQ(images("flowers102", "val"), (Images{"passion flower < jpg/image_00002.jpg"}));
  EXPECT_EQ(images("flowers102", "test"), (Images{"pink primrose < jpg/image_00003.jpg",
                                                  "blackberry lily < jpg/image_00004.jpg"}));
  MatWriter(root() / "imagelabels.mat").add_numbers("labels", {77, 77, 1});
  expect_input_error(error("flowers102"), "holds image 4, but there are 3 labels");
}

TEST_F(NamedSetTest, EuroSat) {
  expect_input_error(error("eurosat"), "2750");
  for (int i = 1; i <= 10; ++i) {
    picture(dd::cat("EuroSAT_RGB/SeaLake/SeaLake_", i, ".jpg"));
    picture(dd::cat("EuroSAT_RGB/AnnualCrop/AnnualCrop_", i, ".jpg"));
  }
  EXPECT_EQ(images("eurosat", "train").size(), 10U);
  EXPECT_EQ(images("eurosat", "val").size(), 4U);
  EXPECT_TRUE(images("eurosat", "test")
                  .rbegin()
                  ->starts_with("Sea or Lake < EuroSAT_RGB/SeaLake/SeaLake_"));
  fs::rename(root() / "EuroSAT_RGB", root() / "2750");
  coop("split_zhou_EuroSAT.json", "SeaLake/SeaLake_1.jpg", "SeaLake/SeaLake_2.jpg",
       "SeaLake/SeaLake_3.jpg");
  EXPECT_EQ(images("eurosat", "test"), (Images{"first < 2750/SeaLake/SeaLake_3.jpg"}));
}

TEST_F(NamedSetTest, Dtd) {
  for (const char* path : {"banded/banded_1", "zigzagged/zigzagged_1", "banded/banded_2"}) {
    picture(dd::cat("dtd/images/", path, ".jpg"));
  }
  text("dtd/labels/train1.txt", "banded/banded_1.jpg\n");
  text("dtd/labels/val1.txt", "zigzagged/zigzagged_1.jpg\n");
  expect_input_error(error("dtd"), "test1.txt");
  text("dtd/labels/test1.txt", "banded/banded_2.jpg\n");
  EXPECT_EQ(images("dtd", "train"), (Images{"banded < images/banded/banded_1.jpg"}));
  EXPECT_EQ(images("dtd", "val"), (Images{"zigzagged < images/zigzagged/zigzagged_1.jpg"}));
  EXPECT_EQ(images("dtd", "test"), (Images{"banded < images/banded/banded_2.jpg"}));
}

TEST_F(NamedSetTest, Sun397) {
  picture("SUN397/a/abbey/sun_a.jpg");
  picture("SUN397/a/apse/indoor/sun_b.jpg");
  text("Training_01.txt", "/a/abbey/sun_a.jpg\n/a/apse/indoor/sun_b.jpg\n");
  expect_input_error(error("sun397"), "Testing_01.txt");
  text("Testing_01.txt", "/a/apse/indoor/sun_b.jpg\n");
  expect_input_error(error("sun397", "test"), "listed twice");
  picture("SUN397/w/wine_cellar/barrel_storage/sun_c.jpg");
  text("Testing_01.txt", "/w/wine_cellar/barrel_storage/sun_c.jpg\n");
  EXPECT_EQ(images("sun397", "train"), (Images{"abbey < SUN397/a/abbey/sun_a.jpg",
                                               "indoor apse < SUN397/a/apse/indoor/sun_b.jpg"}));
  EXPECT_EQ(images("sun397", "test"),
            (Images{"barrel_storage wine_cellar < SUN397/w/wine_cellar/barrel_storage/sun_c.jpg"}));
}

TEST_F(NamedSetTest, Cifar) {
  // A record: label, then the red, green and blue planes.
  const auto record = [](const std::string& labels, char red) {
    return labels + std::string(1024, red) + std::string(1024, '\x14') + std::string(1024, '\x1e');
  };
  for (int batch = 1; batch <= 5; ++batch) {
    text(dd::cat("cifar-10-batches-bin/data_batch_", batch, ".bin"),
         record("\x09", '\x0a') + record(std::string(1, '\0'), '\x0b'));
  }
  text("cifar-10-batches-bin/test_batch.bin", record("\x03", '\x0c'));
  EXPECT_EQ(open("cifar10", "train")->size() + open("cifar10", "val")->size(), 10);
  const auto test = open("cifar10", "test");
  ASSERT_EQ(test->size(), 1);
  EXPECT_EQ(test->class_names()[static_cast<std::size_t>(test->label(0))], "cat");
  const dd::Image image = test->image(0);
  EXPECT_EQ(image.width, 32);
  EXPECT_EQ(std::vector<std::uint8_t>(image.pixel(31, 31), image.pixel(31, 31) + 3),
            (std::vector<std::uint8_t>{12, 20, 30}));
  EXPECT_EQ(test->content_hash(0), dd::sha256_of(record("", '\x0c')));
  text("cifar-10-batches-bin/test_batch.bin", record("\x03", '\x0c') + "x");
  expect_input_error(error("cifar10", "test"), "no records of 3073");
  text("train.bin", record({'\x04', '\x00'}, 'a'));
  text("test.bin", record({'\x04', '\x63'}, 'b'));
  EXPECT_EQ(images("cifar100", "test"), (Images{"worm < test.bin/0"}));
  EXPECT_EQ(images("cifar100", "train"), (Images{"apple < train.bin/0"}));
  text("test.bin", record({'\x04', '\x64'}, 'b'));
  expect_input_error(error("cifar100", "test"), "label 100");
}

TEST_F(NamedSetTest, CoOpsSplitsAreCheckedBeforeTheyAreBelieved) {
  picture("images/a.jpg");
  const auto with = [&](const std::string& content) {
    text("split_zhou_OxfordPets.json", content);
    return error("oxford-pets");
  };
  expect_input_error(with("[]"), "no list \"train\"");
  expect_input_error(with("{\"train\": [], \"val\": 3, \"test\": []}"), "no list \"val\"");
  expect_input_error(with("{\"train\": [[\"a.jpg\", \"0\", \"x\"]], \"val\": [], \"test\": []}"),
                     "[path, label, class name]");
  expect_input_error(with("{\"train\": [[\"../a.jpg\", 0, \"x\"]], \"val\": [], \"test\": []}"),
                     "../a.jpg");
  expect_input_error(with("{\"train\": [[\"a.jpg\", 1, \"x\"]], \"val\": [], \"test\": []}"),
                     "no image has label 0");
  expect_input_error(
      with(
          "{\"train\": [[\"a.jpg\", 0, \"x\"], [\"b.jpg\", 0, \"y\"]], \"val\": [], \"test\": []}"),
      "called \"x\" and \"y\"");
  expect_input_error(with("{\"train\": [], \"val\": [], \"test\": []}"), "no train split");
}

TEST_F(NamedSetTest, AMissingRootIsNamed) {
  for (const dd::NamedSet& set : dd::named_sets()) {
    expect_input_error(input_error([&] {
                         dd::open_dataset({set.name, root() / "gone"}, "test");
                       }),
                       "gone");
  }
}

}  // namespace
