"""Counts words with a shuffle, and then fails on an executor."""
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("job").getOrCreate()
sc = spark.sparkContext
words = sc.parallelize(["a b", "b c", "c c"] * 10, 3).flatMap(str.split)
print("words", sorted(words.map(lambda w: (w, 1)).reduceByKey(lambda a, b: a + b, 2).collect()))


def fail(n):
    raise ValueError("boom on an executor")


try:
    sc.parallelize(range(2), 2).map(fail).collect()
except Exception as e:
    print("caught", "boom on an executor" in str(e))
spark.stop()
